import { useEffect, useState, type CSSProperties } from 'react';

const settleMs = 250;

/** Sends a value only when the hand has come to rest. */
export function Slider({
  label,
  value,
  min,
  max,
  say,
  onChange,
}: {
  label: string;
  value: number;
  min: number;
  max: number;
  say: (value: number) => string;
  onChange: (value: number) => void;
}) {
  const [wanted, setWanted] = useState<number | null>(null);
  useEffect(() => {
    if (wanted === null) return;
    const timer = setTimeout(() => {
      onChange(wanted);
      setWanted(null);
    }, settleMs);
    return () => clearTimeout(timer);
    // oxlint-disable-next-line react/exhaustive-deps -- onChange is new at each render; only a new wish counts
  }, [wanted]);
  const shown = wanted ?? value;
  return (
    <label className="slider">
      <span className="h2">{label}</span>
      <input
        type="range"
        style={{ '--fill': `${max === min ? 100 : ((shown - min) / (max - min)) * 100}%` } as CSSProperties}
        min={min}
        max={max}
        step={1}
        value={shown}
        aria-valuetext={say(shown)}
        onChange={(event) => setWanted(Number(event.target.value))}
      />
      <span className="sm">{say(shown)}</span>
    </label>
  );
}
