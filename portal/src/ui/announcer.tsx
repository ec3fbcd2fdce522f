// What one sees change, said to who listens to a screen reader. Toasts and banners speak for themselves.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { State } from '../store/meeting';
import { me } from '../store/selectors';
import { text } from '../strings';

function placeWords(state: State): string {
  const reasons = text.lobby as Record<string, string>;
  switch (state.phase) {
    case 'connecting':
      return text.join.connecting;
    case 'pin':
      return text.meeting.nowPin;
    case 'lobby':
      return `${text.lobby.heading}. ${reasons[state.lobbyReason] ?? text.lobby.other}`;
    case 'in_room':
      return text.meeting.nowInside;
    default:
      return ''; // the banner tells of the connection, the last page of the end
  }
}

interface Watched {
  value: unknown;
  words: string;
}

function watched(state: State): Watched[] {
  const { microphone, camera, sharing } = state.media;
  const hand = me(state)?.hand ?? false;
  const { meeting } = text;
  return [
    { value: placeWords(state), words: placeWords(state) },
    { value: microphone === 'on', words: microphone === 'on' ? meeting.nowUnmuted : meeting.nowMuted },
    { value: camera === 'on', words: camera === 'on' ? meeting.nowCameraOn : meeting.nowCameraOff },
    { value: sharing, words: sharing ? meeting.nowSharing : meeting.nowNotSharing },
    { value: hand, words: hand ? meeting.nowHand : meeting.nowNoHand },
  ];
}

export function Announcer({ state }: { state: State }) {
  const [words, setWords] = useState('');
  const before = useRef<Watched[] | null>(null);
  useEffect(() => {
    const now = watched(state);
    const news = now.filter((one, index) =>
      before.current ? one.value !== before.current[index]?.value : index === 0 && one.words);
    before.current = now;
    const said = news.map((one) => one.words).filter(Boolean).join(' ');
    if (said) setWords(said);
  }, [state]);
  return <p class="visually-hidden" role="status" data-testid="announcer">{words}</p>;
}
