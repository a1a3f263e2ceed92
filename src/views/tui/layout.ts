/** How the rows of the terminal are shared out: the rail, the screen, what is asked, the keys. */
import {choiceLines} from './keys/help.ts';
import {currentQuestion} from './keys/run.ts';
import {interruptLines, loginLines, reasonLines, searchLines} from './lines/fields.ts';
import {noteLines} from './lines/notes.ts';
import {elsewhereLines, leavingLines, questionLines} from './lines/questions.ts';
import type {Moment, Scene, Size} from './scene.ts';
import {modeOf} from './state/mode.ts';
import type {Model} from './state/model.ts';
import {glyphs} from './text/glyphs.ts';
import {dim, type Line, line} from './text/line.ts';

/** The rail and the help bar, each with a free line; and the last row, which stays free (facts/ink.md 1.1). */
const takenRows = 3 + 2 + 1;

/** A scene with what is asked below it. */
export interface Laid extends Scene {
  readonly footer: readonly Line[];
}

/** The scene of a model in a terminal of this size. One column is left free at each side. */
export function sceneOf(model: Model, size: Size, moment: Moment): Laid {
  const width = size.columns - 2;
  const height = Math.max(0, size.rows - takenRows);
  const footer = footerLines({model, moment, width, height});
  return {model, moment, width, height: height - footer.length, footer};
}

/** What is said and what is asked, between the screen and the keys. It takes its room from the screen. */
function footerLines(scene: Scene): readonly Line[] {
  const {model, moment, width, height} = scene;
  const notes = noteLines(model, moment, {width, height});
  return [...notes, ...questionFooter({...scene, height: height - notes.length})];
}

/** What is asked: half of the screen at most. */
function questionFooter(scene: Scene): readonly Line[] {
  // An answer that cannot be seen cannot be given: the question is what is cut.
  const choices = choiceLines(scene);
  const asked = askedLines(scene).slice(0, Math.max(1, roomToAsk(scene) + 1 - choices.length));
  return asked.length === 0 ? [] : [line(glyphs.rule.repeat(scene.width), dim), ...asked, ...choices];
}

/** Lines for a question: half of the screen with its rule and its choices; all of it where nothing else matters. */
function roomToAsk({model, height}: Scene): number {
  return Math.max(3, model.leaving || model.logins.length > 0 ? height - 4 : Math.floor(height / 2) - 2);
}

function askedLines(scene: Scene): readonly Line[] {
  const {model, width} = scene;
  switch (modeOf(model)) {
    case 'leaving':
      return leavingLines(model, width, roomToAsk(scene) - 1);
    case 'interrupt':
      return interruptLines(model, width);
    case 'reason':
      return reasonLines(model, width);
    case 'login':
      return model.logins.slice(0, 1).flatMap(login => loginLines(login, width));
    case 'changes search':
      return searchLines(model.review.search, width);
    case 'log search':
      return searchLines(model.log?.search ?? '', width);
    case 'log':
      return model.asks.slice(0, 1).flatMap(ask => elsewhereLines(ask, width));
    case 'preflight':
    case 'work':
    case 'board': {
      const question = currentQuestion(model);
      if (question !== undefined) return questionLines(question, model.run, width);
      return model.asks.slice(0, 1).flatMap(ask => elsewhereLines(ask, width));
    }
    case 'environment':
    case 'version':
    case 'version field':
    case 'components':
    case 'components filter':
    case 'starting':
    case 'review':
    case 'confirm':
    case 'finished':
    case 'by hand':
    case 'help':
      return [];
  }
}
