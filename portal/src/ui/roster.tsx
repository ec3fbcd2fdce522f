// Who is here, who waits, and what a host can do about it.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { RoomApi } from '../io/api';
import type { State } from '../store/meeting';
import { called, entering, inRoom, isHost, may, waiting } from '../store/selectors';
import { fill, text } from '../strings';
import type { Participant } from '../types';
import type { App } from './app';
import { Icon } from './icons';
import type { IconName } from './icons';
import type { Question } from './parts';
import { receiptText } from './receipt';

interface RowProps {
  app: App;
  state: State;
  person: Participant;
  ask: (question: Question) => void;
}

interface Action {
  label: string;
  testid: string;
  run: () => void;
}

/** One right of a host's, lent to a guest for this meeting. Recording has no switch on this page yet. */
function grants(app: App, person: Participant): Action[] {
  return (['admit', 'mute', 'layout'] as const).map((right) => {
    const granted = person.grants?.includes(right) ?? false;
    return {
      label: text.roster[granted ? 'revokes' : 'grants'][right],
      testid: `person-grant-${right}`,
      run: () => void app.session.act((api) => api.grant(person.id, right, !granted)),
    };
  });
}

function hostActions({ app, state, person, ask }: RowProps): Action[] {
  const { session } = app;
  const call = (run: (api: RoomApi) => Promise<unknown>) => () => void session.act(run);
  const own = person.id === state.me.id;
  const actions: Array<Action | false> = [
    may(state, 'mute') && {
      label: person.muted ? text.roster.unmute : text.roster.mute,
      testid: 'person-mute',
      run: call((api) => api.update(person.id, { muted: !person.muted })),
    },
    isHost(state) && person.hand && {
      label: text.roster.handDown,
      testid: 'person-hand-down',
      run: call((api) => api.update(person.id, { hand: false })),
    },
    may(state, 'layout') && {
      label: person.spotlight ? text.roster.spotlightOff : text.roster.spotlightOn,
      testid: 'person-spotlight',
      run: call((api) => api.update(person.id, { spotlight: !person.spotlight })),
    },
    isHost(state) && {
      label: person.role === 'host' ? text.roster.demote : text.roster.promote,
      testid: person.role === 'host' ? 'person-demote' : 'person-promote',
      run: call((api) => api.update(person.id, { role: person.role === 'host' ? 'guest' : 'host' })),
    },
    ...(isHost(state) && person.role === 'guest' ? grants(app, person) : []),
    isHost(state) && !own && {
      label: text.roster.hold,
      testid: 'person-hold',
      run: call((api) => api.hold(person.id)),
    },
    isHost(state) && !own && {
      label: text.roster.remove,
      testid: 'person-remove',
      run: () =>
        ask({
          heading: fill(text.confirm.removeHeading, { name: person.name }),
          body: text.confirm.removeText,
          yes: text.confirm.remove,
          run: call((api) => api.remove(person.id)),
        }),
    },
  ];
  return actions.filter((one): one is Action => one !== false);
}

/** A button that opens a list of buttons below it; Escape or leaving it closes. */
function ActionMenu({ actions, name }: { actions: Action[]; name: string }) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!open) return;
    box.current?.querySelector<HTMLButtonElement>('.menu button')?.focus();
    const on_pressed = (event: PointerEvent) => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    addEventListener('pointerdown', on_pressed);
    return () => removeEventListener('pointerdown', on_pressed);
  }, [open]);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  return (
    <div
      class="menu-box"
      ref={box}
      onKeyDown={(event) => {
        if (!open || event.key !== 'Escape') return;
        event.stopPropagation();
        close();
      }}
    >
      <button ref={button} class="icon-button" aria-expanded={open} data-testid="person-menu"
        aria-label={fill(text.roster.actions, { name })} onClick={() => setOpen(!open)}>
        <Icon name="more" />
      </button>
      {open && (
        <ul class="menu">
          {actions.map((action) => (
            <li key={action.testid}>
              <button data-testid={action.testid}
                onClick={() => {
                  close();
                  action.run();
                }}>
                {action.label}
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Badge({ icon, label, tone }: { icon: IconName; label: string; tone?: string }) {
  return (
    <span class={`badge ${tone ?? ''}`} role="img" aria-label={label} title={label}>
      <Icon name={icon} />
    </span>
  );
}

function Badges({ person }: { person: Participant }) {
  const muted = person.muted || person.self_muted;
  const secure = person.crypto?.encrypted;
  return (
    <span class="badges">
      {person.hand && <Badge icon="hand" label={text.roster.hand} tone="accent" />}
      {person.spotlight && <Badge icon="star" label={text.roster.spotlight} />}
      {person.sharing && <Badge icon="share" label={text.roster.sharing} />}
      {muted && (
        <Badge icon="micOff" label={person.muted ? text.roster.mutedByHost : text.roster.muted}
          tone={person.muted ? 'bad' : ''} />
      )}
      {person.crypto && (
        <Badge icon={secure ? 'lock' : 'lockStruck'} tone={secure ? 'quiet' : 'bad'}
          label={`${secure ? text.roster.encrypted : text.roster.unencrypted}: ${receiptText(person.crypto)}`} />
      )}
    </span>
  );
}

function details(person: Participant): string {
  const parts = [person.role === 'host' ? text.roster.host : text.roster.guest, text.roster.legs[person.leg] ?? person.leg];
  const since = new Date(person.joined_at);
  if (!Number.isNaN(since.getTime())) {
    const time = since.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
    parts.push(fill(text.roster.since, { time }));
  }
  return parts.join(' · ');
}

function PersonRow(props: RowProps) {
  const { person, state } = props;
  const actions = hostActions(props);
  const flags = {
    'data-testid': 'person',
    'data-id': person.id,
    'data-name': person.name,
    'data-role': person.role,
    'data-talking': person.talking,
    'data-muted': person.muted,
    'data-self-muted': person.self_muted,
    'data-hand': person.hand,
    'data-spotlight': person.spotlight,
    'data-encrypted': person.crypto?.encrypted ?? false,
  };
  return (
    <li class={`person ${person.talking ? 'talking' : ''}`} {...flags}>
      <span class="avatar" aria-hidden="true">{person.name.trim().slice(0, 1).toUpperCase() || '?'}</span>
      <span class="who">
        <span class="name">
          {person.name} {person.id === state.me.id && text.roster.you}
          {person.talking && <span class="visually-hidden"> ({text.roster.talking})</span>}
        </span>
        <span class="sub">{details(person)}</span>
      </span>
      <Badges person={person} />
      {actions.length > 0 && <ActionMenu actions={actions} name={person.name} />}
    </li>
  );
}

function WaitingRow({ app, state, person }: Omit<RowProps, 'ask'>) {
  const allowed = may(state, 'admit');
  return (
    <li class="person" data-testid="waiting-person" data-id={person.id} data-name={person.name}
      data-reason={person.lobby_reason ?? ''}>
      <span class="avatar" aria-hidden="true">{person.name.trim().slice(0, 1).toUpperCase() || '?'}</span>
      <span class="who">
        <span class="name">{person.name}</span>
        <span class="sub">
          {[text.roster.reasons[person.lobby_reason ?? ''], text.roster.legs[person.leg]].filter(Boolean).join(' · ')}
        </span>
      </span>
      {allowed && (
        <span class="buttons tight">
          <button class="button small primary" data-testid="person-admit"
            aria-label={`${text.roster.admit} ${person.name}`}
            onClick={() => void app.session.act((api) => api.admit(person.id))}>
            {text.roster.admit}
          </button>
          <button class="button small" data-testid="person-refuse" aria-label={`${text.roster.refuse} ${person.name}`}
            onClick={() => void app.session.act((api) => api.refuse(person.id))}>
            {text.roster.refuse}
          </button>
        </span>
      )}
    </li>
  );
}

function WaitingList({ app, state }: { app: App; state: State }) {
  const people = waiting(state);
  if (people.length === 0) return null;
  return (
    <section aria-labelledby="waiting-heading">
      <div class="section-head">
        <h3 id="waiting-heading">{fill(text.roster.waiting, { count: people.length })}</h3>
        {may(state, 'admit') && (
          <button class="button small" data-testid="admit-all"
            onClick={() => void app.session.act((api) => api.admitAll())}>
            {text.roster.admitAll}
          </button>
        )}
      </div>
      <ul class="people" data-testid="lobby-list">
        {people.map((person) => <WaitingRow key={person.id} app={app} state={state} person={person} />)}
      </ul>
    </section>
  );
}

function CalledRow({ app, state, person }: Omit<RowProps, 'ask'>) {
  return (
    <li class="person" data-testid="called-person" data-name={person.name} data-call={person.call}>
      <span class="who">
        <span class="name">{person.name}</span>
        <span class="sub">{person.call && text.roster.calls[person.call]}</span>
      </span>
      {isHost(state) && (
        <button class="button small" data-testid="call-take-back" aria-label={fill(text.roster.takeBackOf, { name: person.name })}
          onClick={() => void app.session.act((api) => api.remove(person.id))}>
          {text.roster.takeBack}
        </button>
      )}
    </li>
  );
}

function CalledList({ app, state }: { app: App; state: State }) {
  const people = called(state);
  if (people.length === 0) return null;
  return (
    <section aria-labelledby="called-heading">
      <h3 id="called-heading">{fill(text.roster.called, { count: people.length })}</h3>
      <ul class="people">
        {people.map((person) => <CalledRow key={person.id} app={app} state={state} person={person} />)}
      </ul>
    </section>
  );
}

export function Roster({ app, state, ask }: { app: App; state: State; ask: (question: Question) => void }) {
  const people = inRoom(state);
  const arriving = entering(state);
  return (
    <>
      <WaitingList app={app} state={state} />
      <section aria-labelledby="in-room-heading">
        <h3 id="in-room-heading">{text.roster.inRoom}</h3>
        <ul class="people" data-testid="roster">
          {people.map((person) => <PersonRow key={person.id} app={app} state={state} person={person} ask={ask} />)}
        </ul>
      </section>
      <CalledList app={app} state={state} />
      {arriving.length > 0 && (
        <section aria-labelledby="entering-heading">
          <h3 id="entering-heading">{fill(text.roster.entering, { count: arriving.length })}</h3>
          <ul class="people">
            {arriving.map((person) => (
              <li key={person.id} class="person"><span class="who"><span class="name">{person.name}</span></span></li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}
