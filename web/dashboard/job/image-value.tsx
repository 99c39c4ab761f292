import { useEffect, useState } from 'react';
import { imageTypeOf } from '../view/result-files.ts';
import { tileOf } from '../view/result-shapes.ts';
import { BitmapFigure } from '../view/drawn.tsx';

/** A value that is a picture, shown: encoded bytes in an image element, where nothing in them can run, or a tile. Nothing for other values. */
export function ImageValue({ value, name }: { value: unknown; name: string }) {
  const [url, setUrl] = useState('');
  const bytes = ArrayBuffer.isView(value) ? new Uint8Array(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)) : null;
  const type = bytes === null ? null : imageTypeOf(bytes);
  useEffect(() => {
    if (bytes === null || type === null) return undefined;
    const made = URL.createObjectURL(new Blob([bytes], { type }));
    // oxlint-disable-next-line react/set-state-in-effect -- the address is a resource of the browser, to be let go with the element
    setUrl(made);
    return () => URL.revokeObjectURL(made);
    // oxlint-disable-next-line react/exhaustive-deps -- `bytes` is a copy of `value`, made anew each time
  }, [value, type]);
  const tile = tileOf(value);
  if (tile !== null) return <BitmapFigure title="" width={tile.width} height={tile.height} rgba={tile.rgba} />;
  return type === null || url === '' ? null : <img className="picture" src={url} alt={name} />;
}
