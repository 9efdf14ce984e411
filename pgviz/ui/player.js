// The CartPole player. Everything after the episode has arrived happens here, in the browser.
//
// An episode of T steps has T + 1 frames. Frame t shows the state s_t, the action a_t about to be
// taken in it and the return collected before it; frame T is the state after the last action.

const STEPS_PER_SECOND = 50; // CartPole integrates 0.02 s a step: this is real time
const TRACK_LIMIT = 2.4; // m from the centre, where the episode ends
const ANGLE_LIMIT = (12 * Math.PI) / 180; // rad from the vertical, where the episode ends
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
    this.step = 0;
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

  show({ title, gamma, episode }) {
    this.find(".title").textContent = title;
    const signature = JSON.stringify([gamma, episode]);
    if (signature === this.signature) return this.refresh();
    this.signature = signature;
    this.pause();
    this.episode = episode;
    this.numSteps = episode.actions.length;
    this.returns = partialSums(episode.rewards, 1);
    this.discountedReturns = partialSums(episode.rewards, gamma);
    this.find(".discounted").hidden = gamma === 1;
    this.find(".gamma").textContent = `γ = ${gamma}`;
    this.find(".of").textContent = `of ${this.numSteps}`;
    this.root.dataset.numSteps = this.numSteps;
    this.scrubber.max = this.numSteps;
    this.setSpeed(this.speed);
    this.seek(0);
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches) this.play();
  }

  // ── time ──────────────────────────────────────────────────────────────────────────────────

  play() {
    if (this.step === this.numSteps) this.step = 0;
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
    this.step = Math.min(Math.max(step, 0), this.numSteps);
    this.refresh();
  }

  setSpeed(speed) {
    this.speed = speed;
    this.rebase();
    for (const button of this.root.querySelectorAll("[data-speed]"))
      button.setAttribute("aria-pressed", Number(button.dataset.speed) === speed);
  }

  rebase() {
    this.origin = performance.now() - (this.step * 1000) / (STEPS_PER_SECOND * this.speed);
  }

  tick(now) {
    const due = Math.floor(((now - this.origin) * STEPS_PER_SECOND * this.speed) / 1000);
    // A frame's timestamp may lie a little before the click that started it: never step back.
    const step = Math.min(Math.max(due, this.step), this.numSteps);
    if (step === this.numSteps) return this.seek(step);
    if (step !== this.step) {
      this.step = step;
      this.draw();
      if (now - this.readoutsAt >= READOUTS_EVERY) {
        this.readoutsAt = now;
        this.write();
      }
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
    drawScene(this.scene, ink, this.frame());
    drawTimeline(this.timeline, ink, this.episode.p_right, this.step);
  }

  frame() {
    const { x, angle, actions } = this.episode;
    return { x: x[this.step], angle: angle[this.step], action: actions[this.step] };
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
    this.find(".fill").style.width = `${100 * (this.episode.p_right[this.step] ?? 0)}%`;
    const put = (selector, text) => (this.find(selector).textContent = text);
    const { p_right } = this.episode;
    const { x, angle, action } = this.frame();
    const over = action === undefined;
    const p = p_right[this.step];
    const word = action === 1 ? "right" : "left";

    put(".p-right", over ? "—" : p.toFixed(3));
    put(".glyph", over ? "" : action === 1 ? "→" : "←");
    put(".word", over ? "no action" : word);
    put(".chance", over ? "the episode is over" : `sampled with probability ${(action === 1 ? p : 1 - p).toFixed(3)}`);
    put(".step", this.step);
    put(".return", amount(this.returns[this.step]));
    put(".discounted-return", this.discountedReturns[this.step].toFixed(2));
    put(".ending", over ? this.ending() : "");

    const button = this.find("[data-do=toggle]");
    button.setAttribute("aria-label", this.playing ? "Pause" : "Play");
    button.dataset.tip = this.playing ? "Pause (space)" : "Play (space)";
    this.scrubber.setAttribute(
      "aria-valuetext",
      `step ${this.step} of ${this.numSteps}, return ${amount(this.returns[this.step])}`,
    );
    const degrees = (angle * 180) / Math.PI;
    this.scene.setAttribute(
      "aria-label",
      `CartPole at step ${this.step} of ${this.numSteps}: cart ${side(x, 2, " m")} of the centre, ` +
        `pole ${side(degrees, 1, "°")} of the vertical, ` +
        (over ? this.ending() : `force to the ${word}`),
    );
  }

  ending() {
    const { x, angle, terminated, truncated } = this.episode;
    if (terminated) {
      const fell = Math.abs(angle.at(-1)) >= ANGLE_LIMIT - 1e-4 || Math.abs(x.at(-1)) < TRACK_LIMIT;
      return fell ? "fell (terminated)" : "left the track (terminated)";
    }
    if (truncated) return `stopped at ${this.numSteps} (truncated)`;
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

function drawScene(canvas, ink, { x, angle, action }) {
  const { context: c, width, height } = cleared(canvas);
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

function drawTimeline(canvas, ink, pRight, step) {
  const { context: c, width, height } = cleared(canvas);
  const numSteps = pRight.length;
  const [top, bottom] = [8, height - 8];
  const left = STRIP_GUTTER + THUMB_WIDTH / 2;
  const right = width - THUMB_WIDTH / 2;
  const timelineX = (t) => left + ((right - left) * t) / Math.max(numSteps, 1);
  const chanceY = (p) => bottom - (bottom - top) * p;

  c.fillStyle = c.strokeStyle = ink.text;
  c.globalAlpha = 0.8;
  c.font = ink.font(12);
  c.textAlign = "right";
  c.textBaseline = "middle";
  c.fillText("1", STRIP_GUTTER - 6, top + 1);
  c.fillText("0", STRIP_GUTTER - 6, bottom);
  c.globalAlpha = 0.35;
  c.lineWidth = 1;
  c.setLineDash([2, 4]);
  line(c, left, chanceY(0.5), right, chanceY(0.5));
  c.setLineDash([]);

  // π(right | s_t) holds from t to t + 1: a staircase. What has been played is strong.
  const stairs = (from, to) => {
    c.beginPath();
    for (let t = from; t < to; t++) {
      c.lineTo(timelineX(t), chanceY(pRight[t]));
      c.lineTo(timelineX(t + 1), chanceY(pRight[t]));
    }
    c.stroke();
  };
  c.strokeStyle = ink.primary;
  c.lineJoin = "round";
  c.lineWidth = 1.5;
  c.globalAlpha = 0.35;
  stairs(step, numSteps);
  c.globalAlpha = 1;
  stairs(0, step);

  c.strokeStyle = ink.text;
  c.lineWidth = 2;
  line(c, timelineX(step), 2, timelineX(step), height - 2);
  if (step === numSteps) return;
  c.fillStyle = ink.primary;
  c.strokeStyle = ink.panel;
  c.beginPath();
  c.arc(timelineX(step), chanceY(pRight[step]), 6, 0, 2 * Math.PI);
  c.fill();
  c.stroke();
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

function amount(number) {
  const text = Math.abs(number - Math.round(number)) < 1e-9 ? String(Math.round(number)) : number.toFixed(2);
  return text.replace("-", "−");
}

function side(number, digits, unit) {
  return `${Math.abs(number).toFixed(digits)}${unit} ${number < 0 ? "left" : "right"}`;
}
