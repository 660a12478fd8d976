// The names of posts in alert stand below their markers, or beside or above them where they would cover each other.

const SIDES = ["", "above", "right", "left"];

// pins: elements with a label each, the most important first; box: the map, which no label should leave.
export function placeLabels(pins, box) {
  const frame = box.getBoundingClientRect();
  const marks = pins.map((pin) => pin.querySelector("b").getBoundingClientRect());
  const placed = [];
  pins.forEach((pin, at) => {
    const label = pin.querySelector("em");
    const others = [...placed, ...marks.filter((_, of) => of !== at)];
    const free = SIDES.find((side) => {
      label.className = side;
      const rect = label.getBoundingClientRect();
      return inside(rect, frame) && !others.some((other) => touch(rect, other));
    });
    label.className = free || ""; // no room at all: below, over what is less important
    placed.push(label.getBoundingClientRect());
  });
}

function touch(a, b) {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

function inside(a, b) {
  return a.left >= b.left && a.right <= b.right && a.top >= b.top && a.bottom <= b.bottom;
}
