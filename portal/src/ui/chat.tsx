// What is written in the meeting. Text stays text: nothing in it becomes a link, a picture or markup.
import { useEffect, useId, useLayoutEffect, useRef } from 'preact/hooks';
import type { Dispatch, StateUpdater } from 'preact/hooks';
import type { ChatLine, State } from '../store/meeting';
import { mayWrite } from '../store/selectors';
import { text } from '../strings';
import type { App } from './app';
import { SidePanel } from './panel';

const kMaxText = 2000; // the server counts bytes, and says so
const kNearEnd = 80; // CSS pixels from the end: who reads further up is not pulled down

function Line({ line, own }: { line: ChatLine; own: boolean }) {
  const at = new Date(line.at);
  const known = !Number.isNaN(at.getTime());
  return (
    <li class={`message ${own ? 'own' : ''} ${line.participant ? '' : 'of-room'}`} data-testid="message">
      <p class="message-head">
        <bdi class="name">{own ? text.chat.you : line.name}</bdi>
        {known && <time dateTime={line.at}>{at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })}</time>}
      </p>
      <p class="message-text" dir="auto">{line.text}</p>
    </li>
  );
}

/** A log: a screen reader says what is added. */
function Lines({ state }: { state: State }) {
  const { lines } = state.chat;
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const last = lines.at(-1);
  const follow = () => {
    if (box.current && atEnd.current) box.current.scrollTop = box.current.scrollHeight;
  };
  const on_scrolled = () => {
    const element = box.current!;
    atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < kNearEnd;
  };
  useEffect(() => {
    const resized = new ResizeObserver(follow); // a keyboard on the screen makes room for itself
    resized.observe(box.current!);
    return () => resized.disconnect();
  }, []);
  // Before the browser tells of scrolling: by then it has to be at the end again, or it would seem left on purpose.
  useLayoutEffect(() => {
    if (last?.participant === state.me.id) atEnd.current = true;
    follow();
  }, [last?.id]);
  return (
    <div ref={box} class="panel-body messages" role="log" tabIndex={0} aria-label={text.chat.lines} data-testid="messages"
      onScroll={on_scrolled}>
      {lines.length === 0 && <p class="note">{text.chat.empty}</p>}
      <ol>
        {lines.map((line) => <Line key={line.id} line={line} own={line.participant === state.me.id} />)}
      </ol>
    </div>
  );
}

interface WriterProps {
  app: App;
  draft: string;
  setDraft: Dispatch<StateUpdater<string>>;
}

function Writer({ app, draft, setDraft }: WriterProps) {
  const id = useId();
  const sent = useRef<Promise<void>>(Promise.resolve());
  // One after the other, while one types on; what was refused comes back, unless something else stands there by now.
  const send = () => {
    const words = draft.trim();
    if (!words) return;
    setDraft('');
    sent.current = sent.current.then(async () => {
      if (!(await app.session.act((api) => api.say(words)))) setDraft((now) => now || words);
    });
  };
  const on_key_pressed = (event: KeyboardEvent) => {
    if (event.key === 'Escape') app.store.dispatch({ type: 'panel', panel: 'none' });
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  };
  return (
    <form class="writer" onSubmit={(event) => { event.preventDefault(); send(); }}>
      <label class="visually-hidden" for={id}>{text.chat.field}</label>
      <textarea id={id} rows={2} maxLength={kMaxText} value={draft} placeholder={text.chat.field} data-testid="chat-text"
        title={text.chat.keys} dir="auto" enterkeyhint="send" onKeyDown={on_key_pressed}
        onInput={(event) => setDraft(event.currentTarget.value)} />
      <button class="button primary" data-testid="chat-send" disabled={!draft.trim()}>{text.chat.send}</button>
    </form>
  );
}

export function ChatPanel({ app, state, draft, setDraft }: WriterProps & { state: State }) {
  return (
    <SidePanel app={app} name="chat" heading={text.chat.heading}>
      <Lines state={state} />
      {mayWrite(state)
        ? <Writer app={app} draft={draft} setDraft={setDraft} />
        : <p class="note writer-off" role="status" data-testid="chat-off">{text.chat.off}</p>}
    </SidePanel>
  );
}
