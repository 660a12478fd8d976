"""Who is told what, when, and with which proof: pure rules; sending is `serayu.ingest.courier`'s."""
