const radius = 106;
const around = 2 * Math.PI * radius;

/** The ring: how much of what is offered computes now, in words and as an arc. */
export function Ring({ share, text, below, tone }: { share: number; text: string; below: string; tone: 'tide' | 'dusk' | 'mute' }) {
  const filled = Math.min(1, Math.max(0, share)) * around;
  const [first, second] = below.split(' · ');
  return (
    <svg className={`ring ${tone}`} viewBox="0 0 250 250" role="img" aria-label={`${text}, ${below}`}>
      <circle className="ring-track" cx={125} cy={125} r={radius} />
      {filled > 0 ? (
        <circle className="ring-arc" cx={125} cy={125} r={radius} strokeDasharray={`${filled} ${around}`} transform="rotate(-90 125 125)" />
      ) : null}
      <text className="ring-text" x={125} y={second === undefined ? 126 : 118}>
        {text}
      </text>
      <text className="ring-below" x={125} y={second === undefined ? 152 : 144}>
        {first}
      </text>
      {second === undefined ? null : (
        <text className="ring-below" x={125} y={164}>
          {second}
        </text>
      )}
    </svg>
  );
}
