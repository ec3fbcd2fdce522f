// How a room is reached by telephone.
import type { Room } from '../types';

/** What is typed at the reception to get into the room; none: it cannot be reached from there. */
export function meetingNumber(room: Pick<Room, 'aliases' | 'numbers'>): string | undefined {
  return [...(room.numbers ?? []), ...room.aliases].find((one) => /^\d+$/.test(one));
}
