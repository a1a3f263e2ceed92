import type {Context} from './context.ts';
export async function demoCommand(_context: Context, _options: {}): Promise<number> {
  return 0;
}
