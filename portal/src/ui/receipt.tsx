// The padlock and, behind it, the crypto receipt: how this leg is encrypted, and whose is not.
import { useState } from 'preact/hooks';
import type { State } from '../store/meeting';
import { isUnencrypted, me, unencrypted } from '../store/selectors';
import { fill, text } from '../strings';
import type { CryptoReceipt } from '../types';
import { Icon } from './icons';

export function receiptText(receipt: CryptoReceipt): string {
  return `${receipt.signalling || text.meeting.receiptNone}, ${receipt.media || text.meeting.receiptNone}`;
}

function ReceiptCard({ state }: { state: State }) {
  const mine = me(state)?.crypto;
  const names = unencrypted(state).map((person) => person.name).join(', ');
  return (
    <div class="popover receipt" id="receipt" data-testid="receipt">
      <p>{isUnencrypted(state) ? fill(text.meeting.someUnencrypted, { names: names || '…' }) : text.meeting.allEncrypted}</p>
      {mine && (
        <>
          <h3>{text.meeting.receiptMine}</h3>
          <dl class="facts">
            <dt>{text.meeting.receiptSignalling}</dt>
            <dd data-testid="receipt-signalling">{mine.signalling}</dd>
            <dt>{text.meeting.receiptMedia}</dt>
            <dd data-testid="receipt-media">{mine.media}</dd>
          </dl>
        </>
      )}
    </div>
  );
}

export function Padlock({ state }: { state: State }) {
  const [open, setOpen] = useState(false);
  const struck = isUnencrypted(state);
  const label = struck ? text.meeting.unencrypted : text.meeting.encrypted;
  const mine = me(state)?.crypto;
  return (
    <div
      class="popover-box"
      onKeyDown={(event) => {
        if (event.key === 'Escape' && open) {
          event.stopPropagation();
          setOpen(false);
        }
      }}
      onFocusOut={(event) => !event.currentTarget.contains(event.relatedTarget as Node | null) && setOpen(false)}
    >
      <button class={`chip ${struck ? 'bad' : ''}`} aria-expanded={open} aria-controls="receipt" data-testid="padlock"
        data-encrypted={!struck} title={mine ? receiptText(mine) : label} onClick={() => setOpen(!open)}>
        <Icon name={struck ? 'lockStruck' : 'lock'} />
        <span class="chip-text">{label}</span>
      </button>
      {open && <ReceiptCard state={state} />}
    </div>
  );
}
