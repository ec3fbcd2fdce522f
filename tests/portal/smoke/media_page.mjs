// Runs inside a second browser page, which stands in for the server's media: it answers with a tone, a moving
// room picture and, on the third m-line, a "shared screen".
export async function answerOffer(sdp) {
  globalThis.stopBefore?.();
  const timers = [];
  const draw = (text, color) => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 1280, height: 720 });
    const context = canvas.getContext('2d');
    let frame = 0;
    timers.push(setInterval(() => {
      context.fillStyle = color;
      context.fillRect(0, 0, 1280, 720);
      context.fillStyle = '#ffffff';
      context.font = '64px sans-serif';
      context.fillText(`${text} ${frame++}`, 80, 370);
    }, 100));
    return canvas.captureStream(10).getVideoTracks()[0];
  };
  const audio = new AudioContext();
  const tone = audio.createOscillator();
  const out = audio.createMediaStreamDestination();
  tone.connect(out);
  tone.start();
  const tracks = [out.stream.getAudioTracks()[0], draw('room picture', '#1d3b53'), draw('shared screen', '#5b3a6e')];

  const pc = new RTCPeerConnection();
  globalThis.stopBefore = () => {
    timers.forEach(clearInterval);
    pc.close();
    void audio.close();
  };
  await pc.setRemoteDescription({ type: 'offer', sdp });
  const transceivers = pc.getTransceivers();
  transceivers.forEach((transceiver, index) => {
    transceiver.direction = 'sendrecv';
    void transceiver.sender.replaceTrack(tracks[index]);
  });
  await pc.setLocalDescription();
  await new Promise((done) => {
    if (pc.iceGatheringState === 'complete') done();
    pc.onicegatheringstatechange = () => pc.iceGatheringState === 'complete' && done();
  });
  globalThis.peer = pc;
  return pc.localDescription.sdp;
}

/** What arrived at the stand-in: packets by m-line, and the video codec in use. */
export async function received() {
  const stats = [...(await globalThis.peer.getStats()).values()];
  const inbound = stats.filter((one) => one.type === 'inbound-rtp');
  const codec = (id) => stats.find((one) => one.id === id)?.mimeType;
  return Object.fromEntries(inbound.map((one) => [one.mid, { packets: one.packetsReceived, codec: codec(one.codecId) }]));
}
