"""Settings: wrong ones are named, written ones read back the same."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serayu.edge.config import (
    PASSWORD_VARIABLE,
    USERNAME_VARIABLE,
    AgentConfig,
    BrokerConfig,
    ClockConfig,
    DriverConfig,
    OutboxConfig,
    UplinkConfig,
    credentials,
    load_config,
)
from serayu.edge.config_file import to_toml, write_config
from serayu.models.errors import BadInputError

HEAD = 'region = "33.02"\nstation = "bgs-hulu"\nstate = "state"\n'
DRIVER = '[[driver]]\nkind = "simulated"\nproperty = "stage"\n'


def written(folder: Path, text: str) -> Path:
    file = folder / "station.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_smallest_file_is_a_station_and_a_driver(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, HEAD + DRIVER))
    assert config.state == tmp_path / "state"
    assert [driver.kind for driver in config.drivers] == ["simulated"]
    assert (config.broker.host, config.broker.port, config.broker.tls) == ("127.0.0.1", 1883, False)


def test_paths_belong_to_the_files_folder_and_a_certificate_means_tls(tmp_path: Path) -> None:
    text = HEAD + '[broker]\nca = "ca.pem"\npassword_file = "/etc/serayu/password"\n' + DRIVER
    broker = load_config(written(tmp_path, text)).broker
    assert (broker.tls, broker.ca, broker.password_file) == (
        True,
        tmp_path / "ca.pem",
        Path("/etc/serayu/password"),
    )


@pytest.mark.parametrize(
    ("text", "field", "reason"),
    [
        pytest.param("", "", "missing required field `region`", id="empty file"),
        pytest.param(HEAD, "", "missing required field `driver`", id="no driver"),
        pytest.param(HEAD + "driver = []\n", "driver", "length >= 1", id="empty drivers"),
        pytest.param(HEAD + "brocker = 1\n" + DRIVER, "", "unknown field `brocker`", id="unknown field"),
        pytest.param(HEAD + "[broker]\nport = 0\n" + DRIVER, "broker.port", ">= 1", id="port 0"),
        pytest.param(
            HEAD + "[broker]\nport = 65536\n" + DRIVER, "broker.port", "<= 65535", id="port too high"
        ),
        pytest.param(HEAD + '[broker]\nhots = "x"\n' + DRIVER, "broker", "unknown field `hots`", id="nested"),
        pytest.param(HEAD + DRIVER + "interval_s = 0\n", "driver[0].interval_s", ">= 0.01", id="interval 0"),
        pytest.param(
            HEAD + DRIVER + "interval_s = nan\n", "driver[0].interval_s", "float", id="interval nan"
        ),
        pytest.param(HEAD.replace("bgs-hulu", "BGS") + DRIVER, "", "station 'BGS' must match", id="station"),
        pytest.param(HEAD.replace("bgs-hulu", "ack") + DRIVER, "", "and not be", id="reserved word"),
        pytest.param(HEAD.replace("33.02", "x/y") + DRIVER, "", "region 'x/y' must match", id="region"),
        pytest.param(HEAD.replace('"state"', "5") + DRIVER, "state", "expected a path", id="path"),
        pytest.param(HEAD + '[clock]\nmode = "guess"\n' + DRIVER, "clock.mode", "guess", id="clock"),
        pytest.param(HEAD + "[uplink]\nbackoff_s = 99\n" + DRIVER, "", "backoff_s is longer", id="backoff"),
        pytest.param("region = \n", "", "not TOML", id="not TOML"),
    ],
)
def test_a_wrong_file_is_refused_with_its_name_and_field(
    tmp_path: Path, text: str, field: str, reason: str
) -> None:
    file = written(tmp_path, text)
    with pytest.raises(BadInputError) as caught:
        load_config(file)
    assert caught.value.file == str(file)
    assert reason in caught.value.reason
    assert (caught.value.field or "") == field
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"none\.toml"):
        load_config(tmp_path / "none.toml")


def test_the_user_is_the_station_unless_told_otherwise_and_a_password_is_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("rahasia\nsecond line\n", encoding="utf-8")
    config = AgentConfig("33.02", "bgs-hulu", tmp_path, (), BrokerConfig(password_file=file))
    assert (credentials(config, {}).username, credentials(config, {}).password) == ("bgs-hulu", "rahasia")
    assert "rahasia" not in repr(credentials(config, {}))
    found = credentials(config, {USERNAME_VARIABLE: "u", PASSWORD_VARIABLE: "p"})
    assert (found.username, found.password) == ("u", "p")
    file.write_text("\n", encoding="utf-8")
    with pytest.raises(BadInputError, match="password is empty"):
        credentials(config, {})
    file.unlink()
    with pytest.raises(BadInputError, match="cannot be read"):
        credentials(config, {})


OPTIONS = st.dictionaries(
    st.from_regex(r"[a-z_]{1,8}", fullmatch=True),
    st.text(max_size=8) | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False),
    max_size=3,
)


@given(options=OPTIONS, host=st.text(min_size=1, max_size=8), interval_s=st.floats(0.01, 86_400))
def test_written_settings_read_back_the_same(
    tmp_path_factory: pytest.TempPathFactory, options: dict[str, object], host: str, interval_s: float
) -> None:
    folder = tmp_path_factory.mktemp("config").resolve()
    config = AgentConfig(
        "33.02",
        "bgs-hulu",
        folder / "state",
        (DriverConfig("simulated", "stage", interval_s, options), DriverConfig("bench.x:Y")),
        BrokerConfig(host=host, ca=folder / "ca.pem", tls=True, username='"quoted" \\ é'),
        OutboxConfig(policy="refuse_newest"),
        UplinkConfig(window=7),
        ClockConfig(mode="trust"),
        exit_when_done=True,
    )
    file = folder / "agent.toml"
    write_config(config, file)
    assert load_config(file) == config, to_toml(config)
