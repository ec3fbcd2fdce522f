// Two soft notes for hosts: someone waits in the lobby.
export function chime(): void {
  try {
    const context = new AudioContext();
    const gain = context.createGain();
    gain.connect(context.destination);
    gain.gain.value = 0;
    [660, 880].forEach((frequency, index) => {
      const start = context.currentTime + index * 0.18;
      const note = context.createOscillator();
      note.frequency.value = frequency;
      note.connect(gain);
      gain.gain.setValueAtTime(0.0001, start);
      gain.gain.exponentialRampToValueAtTime(0.08, start + 0.02);
      gain.gain.exponentialRampToValueAtTime(0.0001, start + 0.17);
      note.start(start);
      note.stop(start + 0.18);
      if (index === 1) note.onended = () => void context.close();
    });
  } catch {
    // No sound device: the banner is enough.
  }
}
