// When to try again after the connection was lost. The first minute stays below 3 s between tries, so that
// a network that is back finds us soon; after that the pauses double, up to half a minute.
const kFirstMs = 250;
const kCapEarlyMs = 2_000;
const kCapLateMs = 30_000;
const kEarlyMs = 60_000;
export const kGiveUpMs = 10 * 60_000;

/** `attempt` counts from 1; the first is at once. `random` is 0 to 1: many browsers must not return in step. */
export function retryDelay(attempt: number, sinceLostMs: number, random: number): number {
  if (attempt <= 1) return 0;
  const doubled = kFirstMs * 2 ** Math.min(attempt - 2, 16);
  const cap = sinceLostMs < kEarlyMs ? kCapEarlyMs : kCapLateMs;
  return Math.min(doubled, cap) * (0.75 + 0.25 * random);
}
