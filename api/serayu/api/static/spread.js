// Markers that would cover each other are moved apart by a few pixels; where a post lies is said to that accuracy only.

const APART = 26; // pixels between the middles of two markers
const AT_MOST = 18; // pixels that a marker may leave its place
const ROUNDS = 12;

// places: [{id, x, y}] in pixels; returns Map id -> [dx, dy], without those that stay.
export function spread(places) {
  const points = [...places].sort((a, b) => a.x - b.x || a.id.localeCompare(b.id)).map((p) => ({ ...p, dx: 0, dy: 0 }));
  for (let round = 0; round < ROUNDS; round++) {
    let moved = false;
    for (let i = 0; i < points.length; i++) {
      // In order of x as they lie: beyond both reaches nobody can be near.
      for (let k = i + 1; k < points.length && points[k].x - points[i].x < APART + 2 * AT_MOST; k++) {
        moved = push(points[i], points[k], k) || moved;
      }
    }
    if (!moved) break;
  }
  return new Map(points.filter((p) => p.dx || p.dy).map((p) => [p.id, [Math.round(p.dx), Math.round(p.dy)]]));
}

function push(a, b, turn) {
  let x = b.x + b.dx - a.x - a.dx;
  let y = b.y + b.dy - a.y - a.dy;
  let far = Math.hypot(x, y);
  if (far >= APART - 0.5) return false;
  if (far < 0.01) { // in one place: each to another side
    [x, y, far] = [Math.cos(turn * 2.4), Math.sin(turn * 2.4), 1];
    a.dx -= x; a.dy -= y; b.dx += x; b.dy += y;
  }
  const lack = (APART - Math.min(far, APART)) / 2 / far;
  move(a, -x * lack, -y * lack);
  move(b, x * lack, y * lack);
  return true;
}

function move(point, x, y) {
  point.dx += x;
  point.dy += y;
  const far = Math.hypot(point.dx, point.dy);
  if (far > AT_MOST) {
    point.dx *= AT_MOST / far;
    point.dy *= AT_MOST / far;
  }
}
