// Small pieces that several pages use.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { watchLevel } from '../io/media';
import { text } from '../strings';
import type { Toast } from '../store/meeting';
import { Icon } from './icons';

/** A modal dialog: the browser keeps the focus inside and gives it back. */
export function Dialog(props: { heading: string; testid: string; on_closed: () => void; children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const element = dialog.current;
    if (element && !element.open) element.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      class="dialog"
      aria-labelledby={heading}
      data-testid={props.testid}
      onCancel={(event) => {
        event.preventDefault();
        props.on_closed();
      }}
      onClick={(event) => event.target === dialog.current && props.on_closed()}
    >
      <div class="dialog-body">
        <h2 id={heading}>{props.heading}</h2>
        {props.children}
      </div>
    </dialog>
  );
}

export interface Question {
  heading: string;
  body: string;
  yes: string;
  run: () => void;
}

export function Confirm({ question, on_closed }: { question: Question; on_closed: () => void }) {
  return (
    <Dialog heading={question.heading} testid="confirm-dialog" on_closed={on_closed}>
      <p>{question.body}</p>
      <div class="buttons">
        <button class="button" data-testid="confirm-no" onClick={on_closed}>
          {text.confirm.cancel}
        </button>
        <button
          class="button danger"
          data-testid="confirm-yes"
          autofocus
          onClick={() => {
            on_closed();
            question.run();
          }}
        >
          {question.yes}
        </button>
      </div>
    </Dialog>
  );
}

/** The level is set past Preact: it changes 15 times a second. */
export function LevelMeter({ track }: { track: MediaStreamTrack | null }) {
  const meter = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = meter.current;
    if (!element) return;
    const show = (level: number) => {
      element.style.setProperty('--level', level.toFixed(2));
      element.setAttribute('aria-valuenow', String(Math.round(level * 100)));
    };
    show(0);
    return track ? watchLevel(track, show) : undefined;
  }, [track]);
  return (
    <div
      ref={meter}
      class="level"
      role="meter"
      aria-label={text.join.level}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={0}
      data-testid="mic-level"
    />
  );
}

export function CopyButton({ value, label }: { value: string; label: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  if (!navigator.clipboard) return null;
  return (
    <button
      class="button small"
      data-testid="copy"
      onClick={() => void navigator.clipboard.writeText(value).then(() => setCopied(true))}
    >
      <Icon name="copy" />
      <span aria-live="polite">{copied ? text.start.copied : label}</span>
    </button>
  );
}

const kToastMs = 6_000;

function ToastLine({ toast, on_closed }: { toast: Toast; on_closed: (id: number) => void }) {
  useEffect(() => {
    const timer = setTimeout(() => on_closed(toast.id), kToastMs);
    return () => clearTimeout(timer);
  }, [toast.id]);
  return (
    <div class={`toast ${toast.kind}`} data-testid="toast">
      <span>{toast.text}</span>
      <button class="icon-button" aria-label={text.meeting.close} onClick={() => on_closed(toast.id)}>
        <Icon name="close" />
      </button>
    </div>
  );
}

/** The live region stands from the start, or screen readers would miss the first toast. */
export function Toasts({ toasts, on_closed }: { toasts: Toast[]; on_closed: (id: number) => void }) {
  return (
    <div class="toasts" role="status" aria-live="polite" data-testid="toasts">
      {toasts.map((toast) => (
        <ToastLine key={toast.id} toast={toast} on_closed={on_closed} />
      ))}
    </div>
  );
}

export function Brand() {
  return (
    <a class="brand" href="/" aria-label={text.app}>
      <img src="/logo.svg" alt="" width="91" height="28" />
    </a>
  );
}
