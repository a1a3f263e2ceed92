import {defineConfig} from 'vitest/config';

// .ci/run counts the tests in it.
const report = process.env['DW_TEST_REPORT'];

export default defineConfig({
  // React's production build (NODE_ENV below) has no jsxDEV.
  oxc: {jsx: {runtime: 'automatic', development: false}},
  test: {
    reporters: report ? ['default', ['json', {outputFile: report}]] : ['default'],
    // Files share the modules of their worker, which saves loading them for each. What a test leaves in one may change how long
    // another takes, and nothing else (test/support/cookbook.ts makes projects like its first one).
    isolate: false,
    // Most tests wait for somebody else: containers, processes, servers.
    maxWorkers: 4,
    // Ink asks `tput` for the size when there is none: two processes a frame.
    env: {COLUMNS: '100', LINES: '30', FORCE_COLOR: '0', NODE_ENV: 'production'},
    projects: [
      {extends: true, test: {name: 'unit', include: ['test/**/*.test.{ts,tsx}'], exclude: ['test/e2e/**']}},
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/support/real-parts.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
