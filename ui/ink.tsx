/** The only importer of Ink: lays a React tree out and gives the frame as lines, with the places of the regions in it. */
import { EventEmitter } from 'node:events';
import { Box, type DOMElement, render, Text } from 'ink';
import {
  Component,
  createContext,
  type ReactNode,
  useContext,
  useLayoutEffect,
  useRef,
} from 'react';
import type { Overlay } from './terminal/painter.js';

export { Box, Text };

/** Gives the lines of a region of this size: exactly `width` cells each. */
export type LinesOf = (width: number, height: number) => readonly string[];

type Places = Map<React.RefObject<DOMElement | null>, LinesOf>;

const PlacesContext = createContext<Places>(new Map());

/** Room for lines that are painted past Ink: a table whose every cell changes ten times a second is dear to lay out. */
export function Region(props: { readonly height: number; readonly lines: LinesOf }): ReactNode {
  const places = useContext(PlacesContext);
  const ref = useRef<DOMElement | null>(null);
  const { lines, height } = props;
  useLayoutEffect(() => {
    places.set(ref, lines);
    return () => {
      places.delete(ref);
    };
  }, [places, lines]);
  return <Box ref={ref} height={height} flexShrink={0} />;
}

/** Stops a tree that throws from taking Ink along: the error is kept for whoever asked for the frame. */
class Fence extends Component<{
  readonly children: ReactNode;
  readonly caught: (error: unknown) => void;
}> {
  override state: { readonly failed: boolean } = { failed: false };

  static getDerivedStateFromError(): { readonly failed: boolean } {
    return { failed: true };
  }

  override componentDidCatch(error: unknown): void {
    this.props.caught(error);
  }

  override render(): ReactNode {
    return this.state.failed ? null : this.props.children;
  }
}

/** Ink's stand-in for stdout: keeps the last frame. With `debug`, Ink hands over each frame whole and at once, also where CI is set. */
class FrameSink extends EventEmitter {
  columns = 80;
  frame = '';

  write = (text: string): boolean => {
    this.frame = text;
    return true;
  };
}

/** A tree on its stand-in screen. */
export class Layout {
  private readonly sink: FrameSink = new FrameSink();
  private readonly places: Places = new Map();
  private instance: ReturnType<typeof render> | null = null;
  private error: { readonly thrown: unknown } | null = null;

  /** Lays `tree` out, `columns` wide; gives the lines of the frame. Throws what a component throws. */
  draw(tree: ReactNode, columns: number): readonly string[] {
    this.sink.columns = columns;
    const whole = (
      <PlacesContext.Provider value={this.places}>
        <Fence
          caught={(thrown) => {
            this.error = { thrown };
          }}
        >
          {tree}
        </Fence>
      </PlacesContext.Provider>
    );
    if (this.instance === null) {
      this.instance = render(whole, {
        stdout: this.sink as unknown as NodeJS.WriteStream,
        debug: true,
        patchConsole: false,
        exitOnCtrlC: false,
      });
    } else this.instance.rerender(whole);
    if (this.error !== null) throw this.error.thrown;
    return this.sink.frame.split('\n');
  }

  /** The regions as they are laid out now, with their lines. */
  overlays(): Overlay[] {
    return [...this.places].flatMap(([ref, lines]) => {
      const place = placeOf(ref.current);
      if (place === null) return [];
      return [{ ...place, lines: lines(place.width, place.height) }];
    });
  }

  close(): void {
    this.instance?.unmount();
    this.instance = null;
  }
}

/** Where Yoga has put an element: its offset, and those of all around it, added up. */
function placeOf(
  element: DOMElement | null,
): { x: number; y: number; width: number; height: number } | null {
  const yoga = element?.yogaNode;
  if (!element || yoga === undefined) return null;
  let x = 0;
  let y = 0;
  for (
    let each: DOMElement | undefined = element;
    each?.yogaNode !== undefined;
    each = each.parentNode
  ) {
    x += each.yogaNode.getComputedLeft();
    y += each.yogaNode.getComputedTop();
  }
  return { x, y, width: yoga.getComputedWidth(), height: yoga.getComputedHeight() };
}
