// The player. Everything after the episode has arrived happens here, in the browser.
//
// An episode of T steps has T + 1 frames. Frame t shows the state s_t, the action a_t about to be
// taken in it and the return collected before it; frame T is the state after the last action.
// While it plays, the drawing moves evenly from each state to the next; the numbers do not.
//
// What differs from world to world is in `worlds`, at the end. All else knows actions by number.

const TRACK_LIMIT = 2.4; // m from the centre, where the episode ends
const ANGLE_LIMIT = (12 * Math.PI) / 180; // rad from the vertical, where the episode ends
const GOAL_HEIGHT = 1; // m above the joint of the first link, where Acrobot's episode ends
const READOUTS_EVERY = 100; // ms between changes of text while playing: 50 a second is a blur

const STRIP_GUTTER = 20; // px left of the strip for its axis, as in player.css
const THUMB_WIDTH = 16; // px, as in player.css

const players = new WeakMap(); // parentElement → Player

// Streamlit calls this again whenever the data or the theme changes, without the earlier cleanup.
// A call that a later one overtook while the module loaded is cleaned up after that later call has
// run, so only the newest call may dispose of the player.
export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".player");
  let player = players.get(parentElement);
  if (player?.root !== root) {
    player?.dispose();
    player = new Player(root);
    players.set(parentElement, player);
  }
  const call = (player.newestCall = {});
  player.show(data);
  return () => {
    if (player.newestCall !== call) return;
    player.dispose();
    players.delete(parentElement);
  };
}

class Player {
  constructor(root) {
    this.root = root;
    this.find = (selector) => root.querySelector(selector);
    this.scene = this.find(".scene");
    this.timeline = this.find(".timeline");
    this.scrubber = this.find(".scrubber");
    this.signature = "";
    this.position = 0; // the step that is shown, and while playing the part of it that has passed
    this.speed = 1;
    this.playing = false;
    this.origin = 0; // the time, in ms, at which step 0 would have been shown
    this.readoutsAt = 0;
    this.listen();
  }

  listen() {
    this.listeners = new AbortController();
    const { signal } = this.listeners;
    this.root.addEventListener("click", (event) => this.onClick(event), { signal });
    this.root.addEventListener("keydown", (event) => this.onKey(event), { signal });
    this.scrubber.addEventListener("input", () => this.seek(this.scrubber.valueAsNumber), { signal });
    // A hidden tab draws nothing; go on from the frame that was last seen.
    document.addEventListener("visibilitychange", () => this.rebase(), { signal });
    this.resizes = new ResizeObserver(() => this.draw());
    this.resizes.observe(this.scene);
    this.resizes.observe(this.timeline);
    document.fonts.ready.then(() => signal.aborted || this.draw());
  }

  dispose() {
    this.pause();
    this.listeners.abort();
    this.resizes.disconnect();
  }

  show({ world, title, gamma, episode }) {
    this.find(".title").textContent = title;
    const signature = JSON.stringify([world, gamma, episode]);
    if (signature === this.signature) return this.refresh();
    this.signature = signature;
    this.pause();
    this.world = worlds[world];
    this.episode = episode;
    this.policy = this.world.policy(episode);
    this.numSteps = episode.actions.length;
    this.returns = partialSums(episode.rewards, 1);
    this.discountedReturns = partialSums(episode.rewards, gamma);
    this.find(".discounted").hidden = gamma === 1;
    this.find(".gamma").textContent = `γ = ${gamma}`;
    this.find(".of").textContent = `of ${this.numSteps}`;
    this.find(".strip-title").textContent = this.world.stripTitle;
    for (const gauge of this.root.querySelectorAll(".policy"))
      gauge.hidden = gauge.dataset.world !== world;
    for (const button of this.root.querySelectorAll("[data-speed]"))
      button.dataset.tip = this.world.speeds[button.dataset.speed];
    this.root.dataset.world = world;
    this.root.dataset.numSteps = this.numSteps;
    this.scrubber.max = this.numSteps;
    this.setSpeed(this.speed);
    this.seek(0);
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches) this.play();
  }

  // ── time ──────────────────────────────────────────────────────────────────────────────────

  get step() {
    return Math.floor(this.position);
  }

  get stepsPerMillisecond() {
    return (this.world.stepsPerSecond * this.speed) / 1000;
  }

  play() {
    if (this.step === this.numSteps) this.position = 0;
    this.playing = true;
    this.rebase();
    this.refresh();
    cancelAnimationFrame(this.request);
    this.request = requestAnimationFrame((now) => this.tick(now));
  }

  pause() {
    this.playing = false;
    cancelAnimationFrame(this.request);
  }

  seek(step) {
    this.pause();
    this.position = Math.min(Math.max(step, 0), this.numSteps);
    this.refresh();
  }

  setSpeed(speed) {
    this.speed = speed;
    this.rebase();
    for (const button of this.root.querySelectorAll("[data-speed]"))
      button.setAttribute("aria-pressed", Number(button.dataset.speed) === speed);
  }

  rebase() {
    if (this.world) this.origin = performance.now() - this.position / this.stepsPerMillisecond;
  }

  tick(now) {
    const due = (now - this.origin) * this.stepsPerMillisecond;
    // A frame's timestamp may lie a little before the click that started it: never step back.
    this.position = Math.min(Math.max(due, this.position), this.numSteps);
    if (this.position === this.numSteps) return this.seek(this.numSteps);
    this.draw();
    if (this.step !== this.written && now - this.readoutsAt >= READOUTS_EVERY) {
      this.readoutsAt = now;
      this.write();
    }
    this.request = requestAnimationFrame((next) => this.tick(next));
  }

  // ── controls ──────────────────────────────────────────────────────────────────────────────

  do(what) {
    if (what === "toggle") what = this.playing ? "pause" : "play";
    if (what === "pause") this.seek(this.step);
    if (what === "play") this.play();
    if (what === "back") this.seek(this.step - 1);
    if (what === "forward") this.seek(this.step + 1);
    if (what === "first") this.seek(0);
    if (what === "last") this.seek(this.numSteps);
    if (what === "restart") {
      this.seek(0);
      this.play();
    }
  }

  onClick(event) {
    const button = event.target.closest("button");
    if (button?.dataset.speed) this.setSpeed(Number(button.dataset.speed));
    if (button?.dataset.do) this.do(button.dataset.do);
    // After a click with the mouse the keys belong to the episode, not to the button pressed.
    if (event.detail > 0) this.scrubber.focus({ preventScroll: true });
  }

  onKey(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const button = event.target.closest("button");
    if (button && event.key === " ") return; // the focused button's own key
    const what = { " ": "toggle", ArrowLeft: "back", ArrowRight: "forward", Home: "first", End: "last" }[event.key];
    if (!what) return;
    event.preventDefault();
    event.stopPropagation(); // the page may have shortcuts on the same keys
    this.do(what);
  }

  // ── what is seen ──────────────────────────────────────────────────────────────────────────

  refresh() {
    this.draw();
    this.write();
  }

  get state() {
    if (this.playing) return "playing";
    return this.step === this.numSteps ? "ended" : "paused";
  }

  draw() {
    if (!this.episode) return;
    this.root.dataset.state = this.state;
    this.root.dataset.step = this.step;
    this.scrubber.value = this.step;
    if (!this.scene.clientWidth) return; // in a closed tab, or already off the page
    const ink = this.ink();
    const picture = this.world.picture(this.episode, this.step, this.position - this.step);
    this.world.draw(cleared(this.scene), ink, picture, this.action);
    drawTimeline(cleared(this.timeline), ink, this.world.lanes, this.policy, this);
  }

  get action() {
    return this.episode.actions[this.step]; // none in the last frame
  }

  ink() {
    const style = getComputedStyle(this.root);
    const variable = (name) => style.getPropertyValue(name).trim();
    return {
      text: variable("--st-text-color"),
      background: variable("--st-background-color"),
      panel: variable("--st-secondary-background-color"),
      primary: variable("--st-primary-color"),
      font: (size) => `${size}px ${style.fontFamily}`,
    };
  }

  write() {
    this.written = this.step;
    const put = (selector, text) => (this.find(selector).textContent = text);
    const over = this.action === undefined;
    const { glyph, word, told } = over
      ? { glyph: "", word: "no action", told: this.ending() }
      : this.world.actions[this.action];
    const probabilities = this.policy[this.step];

    for (const row of this.root.querySelectorAll(".policy:not([hidden]) [data-action]")) {
      const p = probabilities?.[row.dataset.action];
      row.querySelector(".number").textContent = over ? "—" : p.toFixed(3);
      row.querySelector(".fill").style.width = `${100 * (p ?? 0)}%`;
      row.classList.toggle("taken", Number(row.dataset.action) === this.action);
    }
    put(".glyph", glyph);
    put(".word", word);
    put(".chance", over ? "the episode is over" : `sampled with probability ${probabilities[this.action].toFixed(3)}`);
    put(".step", this.step);
    put(".return", amount(this.returns[this.step]));
    put(".discounted-return", signed(this.discountedReturns[this.step], 2));
    put(".ending", over ? this.ending() : "");
    this.find(".ending").classList.toggle("terminated", this.episode.terminated);

    const button = this.find("[data-do=toggle]");
    button.setAttribute("aria-label", this.playing ? "Pause" : "Play");
    button.dataset.tip = this.playing ? "Pause (space)" : "Play (space)";
    this.scrubber.setAttribute(
      "aria-valuetext",
      `step ${this.step} of ${this.numSteps}, return ${amount(this.returns[this.step])}`,
    );
    this.scene.setAttribute(
      "aria-label",
      `${this.world.name} at step ${this.step} of ${this.numSteps}: ` +
        `${this.world.told(this.world.picture(this.episode, this.step, 0))}, ${told}`,
    );
  }

  ending() {
    if (this.episode.terminated) return `${this.world.terminated(this.episode)} (terminated)`;
    if (this.episode.truncated) return `stopped at ${this.numSteps} (truncated)`;
    return this.numSteps ? "end of the recording" : "no steps yet";
  }
}

// ── drawing ─────────────────────────────────────────────────────────────────────────────────

// A context in CSS pixels on a cleared canvas that is as fine as the screen.
function cleared(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const ratio = devicePixelRatio;
  const [fineWidth, fineHeight] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== fineWidth) canvas.width = fineWidth;
  if (canvas.height !== fineHeight) canvas.height = fineHeight;
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

// The probabilities of some actions, each in a lane of its own that is 0 at its foot and 1 at its
// head. One lane is a line; several are areas, of which only that of the action taken has a dot.
function drawTimeline({ context: c, width, height }, ink, lanes, policy, { step, position, action }) {
  const numSteps = policy.length;
  const several = lanes.length > 1;
  const left = STRIP_GUTTER + THUMB_WIDTH / 2;
  const right = width - THUMB_WIDTH / 2;
  const timelineX = (t) => left + ((right - left) * t) / Math.max(numSteps, 1);
  const [margin, gap] = several ? [5, 3] : [8, 0];
  const high = (height - 2 * margin - gap * (lanes.length - 1)) / lanes.length;

  const dots = [];
  for (const [index, lane] of lanes.entries()) {
    const head = margin + index * (high + gap);
    const chanceY = (p) => head + high * (1 - p);
    c.fillStyle = c.strokeStyle = ink.text;
    c.globalAlpha = 0.8;
    c.font = ink.font(12);
    c.textAlign = "right";
    c.textBaseline = "middle";
    for (const [p, mark] of lane.marks) c.fillText(mark, STRIP_GUTTER - 6, chanceY(p) + p);
    if (several) {
      c.globalAlpha = 0.09;
      c.fillRect(left, head, right - left, high);
    } else {
      c.globalAlpha = 0.35;
      c.lineWidth = 1;
      c.setLineDash([2, 4]);
      line(c, left, chanceY(0.5), right, chanceY(0.5));
      c.setLineDash([]);
    }

    // π(a | s_t) holds from t to t + 1: a staircase. What has been played is strong.
    c.fillStyle = c.strokeStyle = ink.primary;
    c.lineJoin = "round";
    c.lineWidth = 1.5;
    for (const [from, to, alpha] of [[position, numSteps, 0.35], [0, position, 1]]) {
      c.globalAlpha = alpha;
      c.beginPath();
      for (let t = Math.floor(from); t < to; t++) {
        c.lineTo(timelineX(Math.max(t, from)), chanceY(policy[t][lane.action]));
        c.lineTo(timelineX(Math.min(t + 1, to)), chanceY(policy[t][lane.action]));
      }
      if (several) {
        c.lineTo(timelineX(to), chanceY(0));
        c.lineTo(timelineX(from), chanceY(0));
        c.fill();
      } else c.stroke();
    }
    if (step < numSteps && (!several || lane.action === action))
      dots.push({ x: timelineX(position), y: chanceY(several ? 0.5 : policy[step][lane.action]) });
  }

  c.strokeStyle = ink.text;
  c.lineWidth = 2;
  line(c, timelineX(position), 2, timelineX(position), height - 2);
  for (const dot of dots) {
    c.fillStyle = ink.panel;
    disc(c, dot, 7);
    c.fillStyle = ink.primary;
    disc(c, dot, 5);
  }
}

function disc(c, { x, y }, radius) {
  c.beginPath();
  c.arc(x, y, radius, 0, 2 * Math.PI);
  c.fill();
}

function line(c, fromX, fromY, toX, toY) {
  c.beginPath();
  c.moveTo(fromX, fromY);
  c.lineTo(toX, toY);
  c.stroke();
}

// The outline of an arrow that starts at (x, y) and is `length` long, to the left if negative.
function arrow(c, x, y, length, half) {
  const shaft = half * 0.42;
  const neck = x + length - Math.sign(length) * half * 1.3;
  c.beginPath();
  c.moveTo(x, y - shaft);
  c.lineTo(neck, y - shaft);
  c.lineTo(neck, y - half);
  c.lineTo(x + length, y);
  c.lineTo(neck, y + half);
  c.lineTo(neck, y + shaft);
  c.lineTo(x, y + shaft);
  c.closePath();
}

// The outline of an arrow bent around a point: `sweep` radians along a circle, against the clock
// if negative.
function turnArrow(c, { x, y }, radius, from, sweep, half) {
  const shaft = half * 0.42;
  const neck = from + sweep - (Math.sign(sweep) * half * 1.3) / radius;
  const to = (r, angle) => c.lineTo(x + r * Math.cos(angle), y + r * Math.sin(angle));
  c.beginPath();
  c.arc(x, y, radius + shaft, from, neck, sweep < 0);
  to(radius + half, neck);
  to(radius, from + sweep);
  to(radius - half, neck);
  c.arc(x, y, radius - shaft, neck, from, sweep > 0);
  c.closePath();
}

// ── numbers ─────────────────────────────────────────────────────────────────────────────────

// [Σ_{k<t} γ^k r_k for t = 0 … T]
function partialSums(rewards, gamma) {
  const sums = [0];
  let discount = 1;
  for (const reward of rewards) {
    sums.push(sums.at(-1) + discount * reward);
    discount *= gamma;
  }
  return sums;
}

// With two decimals, or as few as it has.
function amount(number) {
  const whole = Math.abs(number - Math.round(number)) < 1e-9;
  return signed(number, whole ? 0 : 2);
}

function signed(number, digits) {
  return number.toFixed(digits).replace("-", "−");
}

// What lies this part of the way from one step to the next.
function between(numbers, step, part) {
  return part ? numbers[step] + part * (numbers[step + 1] - numbers[step]) : numbers[step];
}

// The same for an angle, on the shorter way round: it was recorded within ±π.
function turned(angles, step, part) {
  return part ? angles[step] + part * within(angles[step + 1] - angles[step]) : angles[step];
}

function within(angle) {
  return angle - 2 * Math.PI * Math.round(angle / (2 * Math.PI));
}

function degrees(angle) {
  return (angle * 180) / Math.PI;
}

function side(number, digits, unit) {
  return `${Math.abs(number).toFixed(digits)}${unit} ${number < 0 ? "left" : "right"}`;
}

// ── the worlds ──────────────────────────────────────────────────────────────────────────────

function drawCartPole({ context: c, width, height }, ink, { x, angle }, action) {
  const ground = height - 34;
  const metre = (ground - 46) / 1.34; // of cart and pole, by height; the track scales by width
  const margin = 0.2 * metre + 22;
  const trackX = (metres) => width / 2 + (metres * (width - 2 * margin)) / (2 * TRACK_LIMIT);

  // The track, its limits and its middle.
  c.lineWidth = 2;
  c.lineCap = "round";
  c.strokeStyle = ink.text;
  c.globalAlpha = 0.45;
  line(c, trackX(-TRACK_LIMIT), ground, trackX(TRACK_LIMIT), ground);
  c.globalAlpha = 0.25;
  for (const m of [-2, -1, 0, 1, 2]) line(c, trackX(m), ground + 1, trackX(m), ground + 5);
  c.globalAlpha = 0.8;
  for (const m of [-TRACK_LIMIT, TRACK_LIMIT]) line(c, trackX(m), ground - 9, trackX(m), ground + 9);
  c.fillStyle = ink.text;
  c.font = ink.font(12);
  c.textAlign = "center";
  c.fillText("−2.4 m", trackX(-TRACK_LIMIT), ground + 25);
  c.fillText("0", trackX(0), ground + 25);
  c.fillText("2.4 m", trackX(TRACK_LIMIT), ground + 25);

  const cartX = trackX(x);
  const wheel = 0.07 * metre;
  const body = { width: 0.44 * metre, height: 0.22 * metre, top: ground - 1 - wheel - 0.22 * metre };
  const pivot = { x: cartX, y: body.top };
  const pole = metre;

  // The wedge the pole must not leave.
  const up = -Math.PI / 2;
  const reach = pole + 10;
  c.globalAlpha = 0.05;
  c.beginPath();
  c.moveTo(pivot.x, pivot.y);
  c.arc(pivot.x, pivot.y, reach, up - ANGLE_LIMIT, up + ANGLE_LIMIT);
  c.fill();
  c.globalAlpha = 0.4;
  c.lineWidth = 1;
  c.setLineDash([3, 4]);
  for (const edge of [-ANGLE_LIMIT, ANGLE_LIMIT])
    line(c, pivot.x, pivot.y, pivot.x + reach * Math.sin(edge), pivot.y - reach * Math.cos(edge));
  c.setLineDash([]);
  c.globalAlpha = 0.8;
  c.fillText("12°", pivot.x + (reach + 16) * Math.sin(ANGLE_LIMIT * 1.25), pivot.y - (reach + 2) * Math.cos(ANGLE_LIMIT));

  // Both pushes are always there, so that only the filling changes from step to step.
  const middle = body.top + body.height / 2;
  for (const push of action === undefined ? [] : [0, 1]) {
    const taken = push === action;
    arrow(c, cartX + (push ? 1 : -1) * (body.width / 2 + 7), middle, (push ? 1 : -1) * 0.4 * metre, 0.13 * metre);
    c.globalAlpha = taken ? 1 : 0.22;
    c.fillStyle = c.strokeStyle = taken ? ink.primary : ink.text;
    if (taken) c.fill();
    else c.stroke();
  }

  c.globalAlpha = 1;
  c.fillStyle = c.strokeStyle = ink.text;
  for (const offset of [-0.28, 0.28]) {
    c.beginPath();
    c.arc(cartX + offset * body.width, ground - 1 - wheel, wheel, 0, 2 * Math.PI);
    c.fill();
  }
  c.beginPath();
  c.roundRect(cartX - body.width / 2, body.top, body.width, body.height, 4);
  c.fill();

  const poleWidth = 0.075 * metre;
  const tip = { x: pivot.x + pole * Math.sin(angle), y: pivot.y - pole * Math.cos(angle) };
  c.strokeStyle = ink.panel;
  c.lineWidth = poleWidth + 4;
  line(c, pivot.x, pivot.y, tip.x, tip.y);
  c.strokeStyle = ink.text;
  c.lineWidth = poleWidth;
  line(c, pivot.x, pivot.y, tip.x, tip.y);
  c.fillStyle = ink.panel;
  c.beginPath();
  c.arc(pivot.x, pivot.y, 0.022 * metre + 0.5, 0, 2 * Math.PI);
  c.fill();
}

function drawAcrobot({ context: c, width, height }, ink, { angle1, angle2 }, action) {
  const metre = (height - 16) / 4.16; // both links, each 1 m long, must fit in all directions
  const thick = 0.16 * metre;
  const joint = { x: width / 2, y: height / 2 };
  const elbow = below(joint, metre, angle1);
  const tip = below(elbow, metre, angle1 + angle2);

  // The line that the tip must pass, and how high it is.
  const goalY = joint.y - GOAL_HEIGHT * metre;
  c.fillStyle = c.strokeStyle = ink.text;
  c.globalAlpha = 0.05;
  c.fillRect(0, 0, width, goalY);
  c.lineWidth = 1;
  c.globalAlpha = 0.55;
  c.setLineDash([3, 4]);
  line(c, 0, goalY, width, goalY);
  c.setLineDash([]);
  const rule = 20;
  line(c, rule, goalY, rule, joint.y);
  line(c, rule - 4, joint.y, rule + 4, joint.y);
  line(c, rule - 4, goalY, rule + 4, goalY);
  c.globalAlpha = 0.8;
  c.font = ink.font(12);
  c.textAlign = "left";
  c.textBaseline = "middle";
  c.fillText("1 m", rule + 8, (goalY + joint.y) / 2);
  c.textAlign = "right";
  c.textBaseline = "alphabetic";
  c.fillText(width > 420 ? "goal: the tip above this line" : "goal", width - 12, goalY - 8);

  c.globalAlpha = 1;
  c.lineCap = "round";
  for (const [from, to] of [[joint, elbow], [elbow, tip]]) {
    c.strokeStyle = ink.panel;
    c.lineWidth = thick + 4;
    line(c, from.x, from.y, to.x, to.y);
    c.strokeStyle = ink.text;
    c.lineWidth = thick;
    line(c, from.x, from.y, to.x, to.y);
  }
  c.fillStyle = ink.text;
  disc(c, joint, 0.75 * thick);
  c.fillStyle = ink.panel;
  disc(c, joint, 0.25 * thick);
  disc(c, elbow, 0.25 * thick);

  // Both turns of the second link are always there, so that only the filling changes.
  const radius = 0.5 * metre;
  const outwards = Math.PI / 2 - angle1 - angle2; // the second link's direction on the canvas
  for (const [turn, sense] of action === undefined ? [] : [[0, 1], [2, -1]]) {
    const taken = turn === action;
    turnArrow(c, elbow, radius, outwards + sense * (thick / 2 + 5) / radius, sense * 1.25, 0.13 * metre);
    c.globalAlpha = taken ? 1 : 0.22;
    c.lineWidth = taken ? 3 : 1;
    c.fillStyle = ink.primary;
    c.strokeStyle = taken ? ink.panel : ink.text; // it may cross the first link
    c.stroke();
    if (taken) c.fill();
  }
}

// The point `length` from another, at an angle that grows from straight down to the right.
function below({ x, y }, length, angle) {
  return { x: x + length * Math.sin(angle), y: y + length * Math.cos(angle) };
}

const CARTPOLE = {
  name: "CartPole",
  stepsPerSecond: 50, // CartPole integrates 0.02 s a step: this is real time
  speeds: { 0.25: "A quarter of real time", 1: "Real time, 50 steps a second", 4: "Four times real time" },
  stripTitle: "π(right | s) at every step",
  actions: [
    { glyph: "←", word: "left", told: "force to the left" },
    { glyph: "→", word: "right", told: "force to the right" },
  ],
  lanes: [{ action: 1, marks: [[1, "1"], [0, "0"]] }],
  policy: ({ p_right }) => p_right.map((p) => [1 - p, p]),
  picture: ({ x, angle }, step, part) => ({ x: between(x, step, part), angle: between(angle, step, part) }),
  draw: drawCartPole,
  told: ({ x, angle }) =>
    `cart ${side(x, 2, " m")} of the centre, pole ${side(degrees(angle), 1, "°")} of the vertical`,
  terminated({ x, angle }) {
    const fell = Math.abs(angle.at(-1)) >= ANGLE_LIMIT - 1e-4 || Math.abs(x.at(-1)) < TRACK_LIMIT;
    return fell ? "fell" : "left the track";
  },
};

const ACROBOT = {
  name: "Acrobot",
  stepsPerSecond: 15, // Acrobot integrates 0.2 s a step: a hundred steps take 7 s, not 20
  speeds: { 0.25: "3.75 steps a second", 1: "15 steps a second, 3 × real time", 4: "60 steps a second" },
  stripTitle: "π(torque | s) at every step",
  actions: [
    { glyph: "↻", word: "torque −1", told: "torque −1" },
    { glyph: "○", word: "torque 0", told: "torque 0" },
    { glyph: "↺", word: "torque +1", told: "torque +1" },
  ],
  lanes: [
    { action: 2, marks: [[0.5, "+1"]] },
    { action: 1, marks: [[0.5, "0"]] },
    { action: 0, marks: [[0.5, "−1"]] },
  ],
  policy: ({ probabilities }) => probabilities,
  picture: ({ angle_1, angle_2 }, step, part) => ({
    angle1: turned(angle_1, step, part),
    angle2: turned(angle_2, step, part),
  }),
  draw: drawAcrobot,
  told({ angle1, angle2 }) {
    const second = within(angle1 + angle2);
    const height = -Math.cos(angle1) - Math.cos(second) - GOAL_HEIGHT;
    return (
      `first link ${side(degrees(angle1), 1, "°")} and second link ${side(degrees(second), 1, "°")} of straight down, ` +
      `tip ${Math.abs(height).toFixed(2)} m ${height > 0 ? "above" : "below"} the line`
    );
  },
  terminated: () => "tip above the line",
};

const worlds = { cartpole: CARTPOLE, acrobot: ACROBOT };
