import type { LaneName } from "./lanes.ts";

/** Points at which a host can kill or freeze itself, around a commit or around a call of the vendor (the bot, the push channel). */
export type AimPoint =
  | "before-commit"
  | "in-commit"
  | "after-commit"
  /** The commit that says that a call of the vendor is about to be made. */
  | "in-announcement"
  | "after-announcement"
  | "before-call"
  | "in-call"
  | "after-call";

/** When a host has to kill or freeze itself. */
export interface Aim {
  /** Whoever freezes is woken by somebody else, after its leases have ended. */
  readonly does: "die" | "freeze";
  readonly lane: LaneName;
  readonly point: AimPoint;
  /** How often the point is passed before it counts; passes without deliveries under way in both directions never count. */
  readonly skip: number;
  /** For points inside something: how long after its beginning. */
  readonly delayMs: number;
}

const lanesOfPoints: readonly (readonly [AimPoint, readonly LaneName[]])[] = [
  ["before-commit", ["vendor-out", "vendor-in", "bot", "push", "heal", "leave", "accept", "webhook"]],
  ["in-commit", ["vendor-out", "vendor-in", "bot", "push", "heal", "leave", "accept", "webhook"]],
  ["after-commit", ["vendor-out", "vendor-in", "bot", "push", "heal", "leave", "accept", "webhook"]],
  ["in-announcement", ["vendor-out"]],
  ["after-announcement", ["vendor-out"]],
  ["before-call", ["vendor-out", "bot", "push", "heal", "leave"]],
  ["in-call", ["vendor-out", "bot", "push", "heal", "leave"]],
  ["after-call", ["vendor-out", "bot", "push", "heal", "leave"]],
];

/** Where a host that comes back does most harm: it believes that its call is still its own to make. */
const freezePoints: readonly (readonly [AimPoint, readonly LaneName[]])[] = [
  ["in-commit", ["vendor-out", "vendor-in", "bot", "heal", "leave", "accept", "webhook"]],
  ["after-commit", ["vendor-out", "vendor-in"]],
  ["in-announcement", ["vendor-out", "vendor-out", "vendor-out"]],
  ["after-announcement", ["vendor-out", "vendor-out", "vendor-out"]],
  ["before-call", ["vendor-out", "vendor-out", "bot", "leave"]],
  ["in-call", ["vendor-out"]],
  ["after-call", ["vendor-out", "bot"]],
];

/** Aims in turn, each point once before any comes again. */
export function createAims(random: () => number, does: Aim["does"]): () => Aim {
  const points = does === "die" ? lanesOfPoints : freezePoints;
  let bag: Pick<Aim, "lane" | "point">[] = [];
  return () => {
    if (bag.length === 0) bag = points.flatMap(([point, lanes]) => lanes.map((lane) => ({ lane, point })));
    const [picked] = bag.splice(Math.floor(random() * bag.length), 1);
    const { lane, point } = picked as Pick<Aim, "lane" | "point">;
    // What happens seldom is taken the first time.
    const most = lane === "leave" ? 1 : lane === "heal" ? 3 : 15;
    const delayMs = Math.floor(random() * (point === "in-call" ? 20 : 4));
    return { does, lane, point, skip: Math.floor(random() * most), delayMs };
  };
}
