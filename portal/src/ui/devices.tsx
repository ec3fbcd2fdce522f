// Choice of microphone, camera and loudspeaker.
import { useEffect, useId, useState } from 'preact/hooks';
import { LocalMedia } from '../io/media';
import type { Kind } from '../io/media';
import type { Devices } from '../session/devices';
import type { State } from '../store/meeting';
import { fill, text } from '../strings';
import { Dialog, LevelMeter } from './parts';

function useDevices(refresh: unknown): MediaDeviceInfo[] {
  const [list, setList] = useState<MediaDeviceInfo[]>([]);
  useEffect(() => {
    let alive = true;
    const read = () => void LocalMedia.devices().then((found) => alive && setList(found));
    read();
    navigator.mediaDevices?.addEventListener?.('devicechange', read);
    return () => {
      alive = false;
      navigator.mediaDevices?.removeEventListener?.('devicechange', read);
    };
  }, [refresh]);
  return list;
}

interface SelectProps {
  label: string;
  testid: string;
  devices: MediaDeviceInfo[];
  value: string;
  on_chosen: (id: string) => void;
}

function DeviceSelect({ label, testid, devices, value, on_chosen }: SelectProps) {
  const id = useId();
  const known = devices.filter((device) => device.deviceId);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        data-testid={testid}
        value={value}
        disabled={known.length === 0}
        onChange={(event) => on_chosen(event.currentTarget.value)}
      >
        {!known.some((device) => device.deviceId === value) && <option value={value}>{text.devices.default}</option>}
        {known.map((device, index) => (
          <option key={device.deviceId} value={device.deviceId}>
            {device.label || fill(text.devices.unnamed, { kind: label, number: index + 1 })}
          </option>
        ))}
      </select>
    </div>
  );
}

export interface ChoiceProps {
  devices: Devices;
  media: State['media'];
  /** Where there is something that plays already. */
  on_speaker_chosen?: (id: string) => void;
}

export function DeviceLevel({ devices, media }: ChoiceProps) {
  return <LevelMeter track={media.microphone === 'on' ? devices.media.track('microphone') : null} />;
}

export function DeviceChoices({ devices, media, on_speaker_chosen }: ChoiceProps) {
  const list = useDevices(`${media.microphone} ${media.camera}`); // names show once permission is given
  const [, redraw] = useState(0);
  const choose = (kind: Kind) => (id: string) => void devices.choose(kind, id).then(() => redraw((n) => n + 1));
  const of = (kind: MediaDeviceKind) => list.filter((device) => device.kind === kind);
  const { choice } = devices.media;
  const canPickSpeaker = 'setSinkId' in HTMLMediaElement.prototype && of('audiooutput').length > 0;
  return (
    <div class="device-choices">
      <DeviceSelect label={text.devices.microphone} testid="select-microphone" devices={of('audioinput')}
        value={choice.microphone} on_chosen={choose('microphone')} />
      <DeviceSelect label={text.devices.camera} testid="select-camera" devices={of('videoinput')}
        value={choice.camera} on_chosen={choose('camera')} />
      {canPickSpeaker && (
        <DeviceSelect label={text.devices.speaker} testid="select-speaker" devices={of('audiooutput')}
          value={choice.speaker}
          on_chosen={(id) => {
            devices.chooseSpeaker(id);
            on_speaker_chosen?.(id);
            redraw((n) => n + 1);
          }} />
      )}
    </div>
  );
}

export function DeviceDialog(props: ChoiceProps & { on_closed: () => void }) {
  return (
    <Dialog heading={text.devices.heading} testid="device-dialog" on_closed={props.on_closed}>
      <DeviceLevel {...props} />
      <DeviceChoices {...props} />
      <div class="buttons">
        <button class="button primary" data-testid="device-close" onClick={props.on_closed}>
          {text.devices.close}
        </button>
      </div>
    </Dialog>
  );
}
