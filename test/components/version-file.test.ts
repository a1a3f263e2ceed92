import {spawnSync} from 'node:child_process';
import * as fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {
  editVersion,
  findVersion,
  restoreVersion,
  VersionFileError,
  type FoundVersion,
} from '../../src/components/version-file.ts';
import {patternProblem} from '../../src/components/version-file/pattern.ts';

/** dmsa/__init__.py of chop-dbhi/data-models-sqlalchemy, as it is there: serial and sha are variables. */
const dmsa = `import os
from dmsa.makers import make_model_from_service  # noqa

serial = os.environ.get('BUILD_NUM') or '0'
sha = os.environ.get('COMMIT_SHA1') or '0'
sha = sha[0:8]

__version_info__ = {
    'major': 0,
    'minor': 7,
    'micro': 1,
    'releaselevel': 'final',
    'serial': serial,
    'sha': sha
}


def get_version(short=False):
    assert __version_info__['releaselevel'] in ('alpha', 'beta', 'final')
    vers = ['%(major)i.%(minor)i.%(micro)i' % __version_info__, ]
    if __version_info__['releaselevel'] != 'final' and not short:
        __version_info__['lvlchar'] = __version_info__['releaselevel'][0]
        vers.append('%(lvlchar)s%(serial)s+%(sha)s' % __version_info__)
    return ''.join(vers)

__version__ = get_version()
`;

const python = (text: string) => ({path: 'dmsa/__init__.py', text});
const dictionary = (parts: string) => python(`__version_info__ = {${parts}}\n`);
const withSerial = (level: string, serial: number) =>
  dictionary(`'major': 1, 'minor': 2, 'micro': 3, 'releaselevel': '${level}', 'serial': ${serial}`);

function thrown(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}

/** The lines that differ, as `- old` and `+ new`. */
function diff(before: string, after: string): string[] {
  const [old, now] = [before.split('\n'), after.split('\n')];
  expect(now).toHaveLength(old.length);
  return old.flatMap((line, index) => (line === now[index] ? [] : [`- ${line}`, `+ ${now[index]}`]));
}

describe('the dictionary of data-models-sqlalchemy', () => {
  test('says 0.7.1, and a bump to 0.8.0 changes two digits', () => {
    expect(findVersion(python(dmsa))).toMatchObject({version: '0.7.1', format: 'python __version_info__'});
    expect(diff(dmsa, editVersion(python(dmsa), '0.8.0'))).toEqual([
      "-     'minor': 7,",
      "+     'minor': 8,",
      "-     'micro': 1,",
      "+     'micro': 0,",
    ]);
  });

  test('becomes a beta without a number: its serial is a variable, filled by the build', () => {
    const beta = editVersion(python(dmsa), '0.8.0-beta');
    expect(beta).toContain("'releaselevel': 'beta',\n    'serial': serial,");
    expect(findVersion(python(beta)).version).toBe('0.8.0-beta');
    expect(() => editVersion(python(dmsa), '0.8.0-beta.2')).toThrow(
      'dmsa/__init__.py:9:14: python __version_info__ cannot express 0.8.0-beta.2, only X.Y.Z, X.Y.Z-alpha or X.Y.Z-beta',
    );
  });

  test('is what Python makes of it, too', ({skip}) => {
    if (spawnSync('python3', ['--version']).status !== 0) skip('python3 is not on the PATH');
    const importable = editVersion(python(dmsa), '12.0.3').replace(/^from dmsa.*$/m, '');
    const {stdout} = spawnSync('python3', ['-'], {input: `${importable}\nprint(__version__)\n`, encoding: 'utf8'});
    expect(stdout).toBe('12.0.3\n');
  });

  test('with a serial of its own says which alpha or beta it is', () => {
    expect(findVersion(withSerial('alpha', 1)).version).toBe('1.2.3-alpha.1');
    expect(editVersion(withSerial('alpha', 1), '1.2.3-beta.12')).toBe(withSerial('beta', 12).text);
  });

  test('keeps the serial when the release is final, and starts from it when it is not', () => {
    expect(findVersion(withSerial('final', 4)).version).toBe('1.2.3');
    expect(editVersion(withSerial('beta', 4), '1.2.3')).toBe(withSerial('final', 4).text);
    expect(editVersion(withSerial('final', 4), '1.2.3-alpha.0')).toBe(withSerial('alpha', 0).text);
  });

  test('says -RC and -SNAPSHOT where the file itself names a level for them', () => {
    // What reads the level says which there are: nothing is written that it does not know.
    const levels = (words: string) => `\nassert __version_info__['releaselevel'] in (${words})\n`;
    const file = (level: string, serial: number, words: string) => python(withSerial(level, serial).text + levels(words));
    const pass = "'dev', 'candidate', 'final'";
    expect(editVersion(file('final', 0, pass), '1.2.4-RC10')).toBe(
      file('candidate', 10, pass).text.replace("'micro': 3", "'micro': 4"),
    );
    expect(findVersion(file('candidate', 10, pass)).version).toBe('1.2.3-RC10');
    expect(editVersion(file('candidate', 10, pass), '1.2.3-SNAPSHOT')).toBe(file('dev', 10, pass).text);
    expect(findVersion(file('dev', 10, pass)).version).toBe('1.2.3-SNAPSHOT');
    expect(editVersion(file('rc', 1, ''), '1.2.3-RC2')).toBe(file('rc', 2, '').text);
    expect(() => editVersion(file('final', 0, "'alpha', 'beta'"), '1.2.4-SNAPSHOT')).toThrow(
      'cannot express 1.2.4-SNAPSHOT, only X.Y.Z, X.Y.Z-alpha.N or X.Y.Z-beta.N',
    );
    expect(() => editVersion(file('final', 0, pass), '1.2.4-rc.1')).toThrow(
      'only X.Y.Z, X.Y.Z-alpha.N, X.Y.Z-beta.N, X.Y.Z-RCN or X.Y.Z-SNAPSHOT',
    );
  });

  test('without a releaselevel says releases only', () => {
    const file = dictionary("'major': 1, 'minor': 2, 'micro': 3");
    expect(editVersion(file, '2.0.0')).toContain("{'major': 2, 'minor': 0, 'micro': 0}");
    expect(() => editVersion(file, '2.0.0-alpha.1')).toThrow('cannot express 2.0.0-alpha.1, only X.Y.Z');
  });

  test.each(['1.2.4-RC1', '1.2.4-SNAPSHOT', '1.2.4-alpha', '1.2.4-alpha.x', '1.2.4-beta.1.2', '1.2.4+build'])(
    'cannot say %s, and says what it can',
    version => {
      expect(() => editVersion(withSerial('final', 0), version)).toThrow(
        `dmsa/__init__.py:1:30: python __version_info__ cannot express ${version}, only X.Y.Z, X.Y.Z-alpha.N or X.Y.Z-beta.N`,
      );
    },
  );

  test('may come in any order, with any quotes, comments and commas', () => {
    const text = `__version_info__: dict = { # 'major': 9,
  "sha" : os.environ.get('SHA1', '')[0:6], r'micro':3 , # the 'minor': 8
  'releaselevel'
      :\t"""final""", 'minor': 2,
  u"major":   1,}`;
    expect(findVersion(python(text)).version).toBe('1.2.3');
    expect(editVersion(python(text), '4.50.6')).toBe(
      text.replace("'micro':3", "'micro':6").replace("'minor': 2", "'minor': 50").replace('u"major":   1', 'u"major":   4'),
    );
  });

  test.each([
    ["'major': 1, 'minor': 2", '1:20: __version_info__ lacks micro'],
    ["'major': 1, 'minor': 2, 'micro': int(build)", '1:54: expected a plain integer as micro'],
    ["'major': 1, 'minor': 2, 'micro': 0x3", '1:54: expected a plain integer as micro'],
    ["'major': 1, 'minor': 2, 'micro': '3'", '1:54: expected a plain integer as micro'],
    ["'major': 1, 'minor': 2, 'micro': 3, 'releaselevel': level", '1:73: expected a word in quotes'],
    ["'major': 1, 'minor': 2, 'micro': 3, 'major': 2", '1:57: major is in the dictionary __version_info__ twice'],
    ["'major': 1, 'minor': 2, 'micro': 3, **more", "1:57: expected 'key': value"],
  ])('is refused where it cannot be understood: {%s}', (parts, problem) => {
    expect(() => findVersion(dictionary(parts))).toThrow(`dmsa/__init__.py:${problem}`);
  });
});

describe('other Python files', () => {
  test.each([
    ['__version__ = "1.2.3"', '__version__ = "1.3.0-RC1"'],
    ["__version__='1.2.3'  # 1.2.3", "__version__='1.3.0-RC1'  # 1.2.3"],
    ['__version__: Final[str] = "1.2.3"', '__version__: Final[str] = "1.3.0-RC1"'],
    ['import os; __version__ = "1.2.3"; x = 1', 'import os; __version__ = "1.3.0-RC1"; x = 1'],
    ['__version__ = VERSION = "1.2.3"', '__version__ = VERSION = "1.3.0-RC1"'],
    ['__version__ = \\\n  "1.2.3"', '__version__ = \\\n  "1.3.0-RC1"'],
  ])('%s', (before, after) => {
    expect(findVersion(python(before))).toMatchObject({version: '1.2.3', format: 'python __version__'});
    expect(editVersion(python(before), '1.3.0-RC1')).toBe(after);
  });

  test('tuples count as sys.version_info does', () => {
    const [short, long] = [python('__version_info__ = (1, 2, 3)'), python("__version_info__ = (1, 2, 3, 'beta', 2,)")];
    expect(editVersion(short, '10.0.1')).toBe('__version_info__ = (10, 0, 1)');
    expect(() => editVersion(short, '1.3.0-alpha.1')).toThrow('tuple cannot express 1.3.0-alpha.1, only X.Y.Z');
    expect(findVersion(long).version).toBe('1.2.3-beta.2');
    expect(editVersion(long, '1.2.3')).toBe("__version_info__ = (1, 2, 3, 'final', 2,)");
    expect(editVersion(long, '1.3.0-RC1')).toBe("__version_info__ = (1, 3, 0, 'candidate', 1,)");
    expect(findVersion(python("__version_info__ = (1, 3, 0, 'rc', 1)")).version).toBe('1.3.0-RC1');
    expect(() => findVersion(python('__version_info__ = (1, 2)'))).toThrow('1:20: __version_info__ lacks micro');
    expect(() => findVersion(python("__version_info__ = (1, 2, 3, 'final', 0, 1)"))).toThrow('1:20: expected at most');
  });

  test.each([
    ['a comment', '# __version__ = "9.9.9"'],
    ['a docstring', '"""\n__version__ = "9.9.9"\n__version_info__ = (9, 9, 9)\n"""'],
    ['a string with quotes in it', `x = '''\\''' " \n__version__ = "9.9.9"\n'''`],
    ['a continued string', 'x = "a \\\n__version__ = \'9.9.9\'"'],
    ['a function', 'def f():\n    __version__ = "9.9.9"'],
    ['a fallback', 'try:\n  from ._version import __version__\nexcept ImportError:\n  __version__ = "9.9.9"'],
    ['brackets', 'f(\n__version__ = "9.9.9"\n)'],
    ['a comparison', '__version__ == "9.9.9"'],
    ['an attribute', 'other.__version__ = "9.9.9"'],
    [
      'what is computed',
      '__version__ = "9.9.9".strip()\n__version__ = f"9.9.{x}"\n__version_info__ = tuple(x)\n__version_info__ = (MAJOR, 9)',
    ],
  ])('in %s nothing is taken for the version', (_where, decoy) => {
    const text = `${decoy}\n__version__ = "1.2.3"\n${decoy}\n`;
    expect(editVersion(python(text), '1.2.4')).toBe(`${decoy}\n__version__ = "1.2.4"\n${decoy}\n`);
    expect(() => findVersion(python(decoy))).toThrow('dmsa/__init__.py:1:1: no version found; looked for __version_info__');
  });

  test('both forms are edited when they agree', () => {
    const text = '__version_info__ = (1, 2, 3)\n__version__ = "1.2.3"\n';
    expect(findVersion(python(text)).format).toBe('python __version_info__ tuple + python __version__');
    expect(editVersion(python(text), '2.0.0')).toBe('__version_info__ = (2, 0, 0)\n__version__ = "2.0.0"\n');
  });

  test('both forms are refused when they disagree', () => {
    expect(() => findVersion(python('__version_info__ = (1, 2, 3)\n__version__ = "1.2.4"\n'))).toThrow(
      'dmsa/__init__.py:2:16: python __version__ says 1.2.4 but python __version_info__ tuple says 1.2.3: make them agree first',
    );
  });

  test.each([
    ['__version__ = "unknown"', '1:16: expected a version such as 1.2.3 (python __version__), found "unknown"'],
    ['__version__ = "1.2.3', '1:15: this string does not end on its line'],
    ['x = 1\n"""\n', '2:1: this triple-quoted string never ends'],
    ['x = (1\ny = 2', '1:5: this ( is never closed'],
    ['x = (1]', '1:7: this ] closes nothing'],
  ])('%j is refused', (text, problem) => {
    expect(() => findVersion(python(text))).toThrow(`dmsa/__init__.py:${problem}`);
  });
});

describe('files of package managers', () => {
  test('setup.py: the argument of setup(), and no other call', () => {
    const text = `from setuptools import setup, find_packages
other(version="9.9.9")
def setup_(version="9.9.9"): pass
setuptools.setup(
    name='dmsa', packages=find_packages(version="9.9.9"),
    version = '1.2.3',  # version="9.9.9"
)
`;
    const file = {path: 'setup.py', text};
    expect(findVersion(file)).toMatchObject({version: '1.2.3', format: 'setup(version=…)'});
    expect(editVersion(file, '1.2.4-SNAPSHOT')).toBe(text.replace("'1.2.3'", "'1.2.4-SNAPSHOT'"));
  });

  test('setup.py: a version that is imported stands elsewhere', () => {
    const text = "from dmsa import __version__\nkwargs = {'version': __version__}\nsetup(version=__version__, **kwargs)\n";
    expect(() => findVersion({path: 'setup.py', text})).toThrow(
      'setup.py:1:1: no version found; looked for setup(version="…"), __version_info__',
    );
  });

  test('package.json: the top-level version, whatever the layout', () => {
    const text =
      '{\r\n\t"config": {"version": "9.9.9"},\r\n\t"version"\t:"1.2.3" ,"x": ["version", {"version": "9.9.9"}],\r\n\t"a": "\\"version\\": 1"\r\n}';
    const file = {path: 'web/package.json', text};
    expect(findVersion(file)).toMatchObject({version: '1.2.3', format: 'package.json version'});
    expect(editVersion(file, '1.3.0')).toBe(text.replace('"1.2.3"', '"1.3.0"'));
  });

  test.each([
    ['{"version": 1}', '1:13: expected a version in quotes'],
    ['{"name": "x"}', '1:1: no version found; looked for a top-level "version"'],
    ['{"version": "1.2.3",}', '1:21: expected a member'],
    ['{"version": "1.2.3", "x": [1,]}', '1:30: expected a value'],
    ['{"version": "1.2.3" "x": 1}', '1:21: expected a comma or the end'],
    ['{"version": "1.2.3"} x', '1:22: the character "x" is not expected here'],
    ['{"version": "1.2.3"} {}', '1:22: expected nothing behind the object'],
    ['{"version" "1.2.3"}', '1:12: expected a colon'],
    ["{'version': '1.2.3'}", '1:2: the character "\'" is not expected here'],
    ['["1.2.3"]', '1:1: expected a JSON object'],
    ['', '1:1: expected a JSON object'],
  ])('package.json: %j is refused', (text, problem) => {
    expect(() => findVersion({path: 'package.json', text})).toThrow(`package.json:${problem}`);
  });

  const lock = (version: string, inside: string) => `{
  "name": "x", "version": "${version}",
  "lockfileVersion": 3,
  "packages": {
    "node_modules/y": { "version": "9.9.9" },
    "": { "name": "x", "version": "${inside}", "dependencies": { "version": "9.9.9" } }
  },
  "dependencies": { "": { "version": "9.9.9" } }
}
`;

  test('package-lock.json: the package’s own version, at the top and among the packages, and no other', () => {
    const file = {path: 'web/package-lock.json', text: lock('1.2.3', '1.2.3')};
    expect(findVersion(file)).toMatchObject({version: '1.2.3', format: 'package-lock.json version'});
    expect(editVersion(file, '1.3.0-RC1')).toBe(lock('1.3.0-RC1', '1.3.0-RC1'));
    const old = {path: 'npm-shrinkwrap.json', text: '{"version": "1.2.3", "lockfileVersion": 1, "dependencies": {}}'};
    expect(editVersion(old, '1.2.4')).toBe(old.text.replace('1.2.3', '1.2.4'));
    expect(() => findVersion({path: 'package-lock.json', text: lock('1.2.3', '1.2.2')})).toThrow('says 1.2.2 but');
  });

  test('pyproject.toml: [project] and [tool.poetry], together when both are there', () => {
    const text = `# version = "9.9.9"
[build-system]
requires = [
  "poetry", # ]
  'version = "9.9.9"',
]
[ project ] # the standard
description = """
[project]
version = "9.9.9" """
version = '1.2.3'
[tool."poetry"]
version="1.2.3" # here too
dependencies.version = "9.9.9"
[[project.authors]]
version = "9.9.9"
[tool.poetry.group]
version = "9.9.9"
`;
    const file = {path: 'pyproject.toml', text};
    expect(findVersion(file)).toMatchObject({
      version: '1.2.3',
      format: 'pyproject.toml [project] version + pyproject.toml [tool.poetry] version',
    });
    expect(editVersion(file, '1.2.4')).toBe(text.replace("'1.2.3'", "'1.2.4'").replace('"1.2.3"', '"1.2.4"'));
  });

  test('pyproject.toml: a dotted key is the same place', () => {
    expect(editVersion({path: 'pyproject.toml', text: 'project.version = "1.2.3"'}, '1.2.4')).toBe('project.version = "1.2.4"');
    expect(editVersion({path: 'pyproject.toml', text: '[tool]\npoetry.version = "1.2.3"'}, '1.2.4')).toContain('"1.2.4"');
  });

  test.each([
    ['[project]\ndynamic = ["version"]\n', '1:1: no version found; looked for version = "…" in [project] or [tool.poetry]'],
    ['[project]\nversion = {attr = "dmsa.__version__"}\n', '2:11: expected a version in quotes'],
    ['[[project]]\nversion = "1.2.3"\n', '1:1: no version found'],
    ['["project.version"]\n"project.version" = "1.2.3"\n', '1:1: no version found'],
    ['[project]\nversion = "1.2.3\n', '2:11: this string does not end on its line'],
  ])('pyproject.toml: %j is refused', (text, problem) => {
    expect(() => findVersion({path: 'pyproject.toml', text})).toThrow(`pyproject.toml:${problem}`);
  });

  test('setup.cfg: [metadata] version as configparser reads it', () => {
    const text =
      '[bumpversion]\nversion = 9.9.9\n[metadata]\n# version = 9.9.9\ndescription = x\n  version = 9.9.9\n\nVersion : 1.2.3 \n[options]\nversion = 9.9.9';
    const file = {path: 'setup.cfg', text};
    expect(findVersion(file)).toMatchObject({version: '1.2.3', format: 'setup.cfg [metadata] version'});
    expect(editVersion(file, '1.2.4')).toBe(text.replace('1.2.3', '1.2.4'));
    expect(() => findVersion({path: 'setup.cfg', text: '[metadata]\nversion = attr: dmsa.__version__\n'})).toThrow(
      'setup.cfg:2:11: expected a version such as 1.2.3 (setup.cfg [metadata] version), found "attr: dmsa.__version__"',
    );
  });

  test('VERSION: a version and nothing else', () => {
    expect(editVersion({path: 'docker/VERSION', text: '\uFEFF1.2.3-RC1\r\n'}, '1.2.3')).toBe('\uFEFF1.2.3\r\n');
    expect(() => findVersion({path: 'VERSION', text: '1.2.3\n1.2.4\n'})).toThrow(
      'VERSION:2:1: expected nothing behind the version',
    );
    expect(() => findVersion({path: 'VERSION', text: '\n'})).toThrow('VERSION:1:1: no version found');
  });

  test('any other file is refused, with the list of those that are not', () => {
    expect(() => findVersion({path: 'pom.xml', text: ''})).toThrow(
      'pom.xml:1:1: no known kind of version file, which are package.json,',
    );
  });
});

describe('a pattern', () => {
  const xml = '<project>\r\n  <parent><version>9.9.9</version></parent>\r\n  <version>1.2.3</version>\r\n</project>';
  const pom = {path: 'pom.xml', text: xml, patterns: [String.raw`^  <version>(?<version>[^<]+)<`]};

  test('finds the version in a file of any kind, and nothing else of it changes', () => {
    expect(findVersion(pom)).toMatchObject({version: '1.2.3', ranges: [{start: xml.indexOf('1.2.3')}]});
    expect(editVersion(pom, '1.2.4-SNAPSHOT')).toBe(xml.replace('1.2.3', '1.2.4-SNAPSHOT'));
  });

  test('may stand beside another, or beside what the file’s name says: all have to agree', () => {
    const text = '__version__ = "1.2.3"\n# docs: v1.2.3\n';
    const file = {
      path: 'x.py',
      text,
      patterns: [undefined, String.raw`docs: v(?<version>\S+)`, String.raw`__ = "(?<version>[\d.]+)`],
    };
    expect(findVersion(file).ranges).toHaveLength(2);
    expect(editVersion(file, '2.0.0')).toBe(text.replaceAll('1.2.3', '2.0.0'));
    expect(() => findVersion({...file, text: text.replace('v1.2.3', 'v1.2.2')})).toThrow('x.py:2:10: the pattern');
  });

  test.each([
    ['matches nothing', ['(?<version>zzz)'], '1:1: no version found; looked for (?<version>zzz)'],
    ['matches without its group', ['(?<version>zzz)?project'], '1:2: (?<version>zzz)?project matches here, and its group'],
    ['finds what is no version', ['<(?<version>project)'], '1:2: expected a version'],
  ])('that %s', (_, patterns, problem) => {
    expect(() => findVersion({...pom, patterns})).toThrow(`pom.xml:${problem}`);
  });

  test('may find what another has found; what overlaps otherwise is refused', () => {
    const same = {path: 'x', text: 'v1.1.1', patterns: [String.raw`v(?<version>\S+)`, String.raw`(?<version>[\d.]+)$`]};
    expect(findVersion(same).ranges).toEqual([{start: 1, end: 6}]);
    expect(editVersion(same, '2.0.0')).toBe('v2.0.0');
    const patterns = [String.raw`v(?<version>1\.1\.1)`, String.raw`(?<version>1\.1\.1)$`];
    expect(() => findVersion({path: 'x', text: 'v1.1.1.1', patterns})).toThrow(
      'x:1:4: two patterns find a version here, and not the same one',
    );
  });

  test.each([
    ['(?<version>', /Invalid regular expression/],
    ['version=(.*)', /needs a named group/],
    [String.raw`\(?<version>`, /needs a named group|Invalid/],
    ['(?<version>.*)', undefined],
  ])('%s is judged before it is used', (pattern, problem) => {
    if (problem === undefined) expect(patternProblem(pattern)).toBeUndefined();
    else expect(patternProblem(pattern)).toMatch(problem);
  });
});

describe('an edit', () => {
  test('to the same version changes nothing, even a version that could not be written', () => {
    const text = '__version__ = "1.2rc1"\n';
    expect(editVersion(python(text), '1.2rc1')).toBe(text);
  });

  test.each(['', 'v1.2.3', '1.2', ' 1.2.3', '1.2.3\n', '1.2.3" + evil + "', '01.2.3', '1.2.3-', 'latest'])(
    'to %j is refused',
    version => {
      expect(() => editVersion(python('__version__ = "1.0.0"'), version)).toThrow('is not a version such as 1.2.3 or 1.2.3-RC1');
    },
  );

  test('that fails says where, and that no file was changed', () => {
    const error = thrown(() => editVersion(python('\uFEFFx = 1\r\ny = )'), '1.2.3'));
    expect(error).toBeInstanceOf(VersionFileError);
    expect(error).toMatchObject({
      name: 'VersionFileError',
      message: 'dmsa/__init__.py:2:5: this ) closes nothing',
      means: 'No file was changed.',
      path: 'dmsa/__init__.py',
      line: 2,
      column: 5,
    });
  });

  test('of a big file takes no time and no stack', () => {
    const filler = `"""${'a "quoted" \\" word\n'.repeat(200_000)}"""\n`;
    const text = `${filler}__version__ = "1.2.3"\n`;
    expect(editVersion(python(text), '1.2.4')).toBe(`${filler}__version__ = "1.2.4"\n`);
  });
});

// ── Any file ────────────────────────────────────────────────────────────────────────────────────────

const part = fc.nat({max: 999});
const release = fc.tuple(part, part, part).map(parts => parts.join('.'));
const prerelease = fc
  .tuple(release, fc.constantFrom('alpha', 'beta'), part)
  .map(([version, level, serial]) => `${version}-${level}.${serial}`);
const label = fc
  .tuple(release, fc.constantFrom('RC1', 'RC10', 'SNAPSHOT', 'rc.2', '0.x-y'))
  .map(([version, label]) => `${version}-${label}`);
const anyVersion = fc.oneof(release, prerelease, label);

const quote = fc.constantFrom('"', "'", '"""', "'''");
const blank = fc.constantFrom('', ' ', '  ', '\t');
/** What may stand around an assignment in a Python file, with `\n` for a newline. */
const pythonDecoy = fc.constantFrom(
  '',
  '# __version__ = "9.9.9"',
  '"""\n__version__ = "9.9.9"\n__version_info__ = (9, 9, 9)\n"""',
  "import os; print('{', \"'\", '#')",
  'def f(version="9.9.9"):\n    __version__ = "9.9.9"\n    return {\n__version_info__: 9}',
  "sha = os.environ.get('SHA1', '')[0:6]",
);

/** The texts around the version of a file that is written in some way: the file is their join with a version in between. */
interface Template {
  readonly path: string;
  readonly patterns?: readonly string[];
  readonly write: (version: string) => string;
}

const literal = fc.record({quote, before: blank, after: blank, annotation: fc.constantFrom('', ': str', ' : "Final[str]"')});
const pythonLiteral: fc.Arbitrary<Template> = literal.map(({quote, before, after, annotation}) => ({
  path: 'a/__init__.py',
  write: version => `__version__${annotation}${before}=${after}${quote}${version}${quote}`,
}));

const pythonDictionary: fc.Arbitrary<Template> = fc
  .record({
    order: fc.shuffledSubarray(['major', 'minor', 'micro', 'releaselevel', 'serial', 'sha'], {minLength: 6}),
    quote,
    before: blank,
    after: blank,
    separator: fc.constantFrom(',', ',\n    ', " , # 'major': 9, \"\n"),
    trailing: fc.constantFrom('', ',', ',\n', "\n# 'minor': 9\n"),
  })
  .map(({order, quote, before, after, separator, trailing}) => ({
    path: 'a/version.py',
    write: version => {
      const [, major, minor, micro, level = 'final', serial = '0'] =
        /^(\d+)\.(\d+)\.(\d+)(?:-(\w+)\.(\d+))?$/.exec(version) ?? [];
      const values: Record<string, string | undefined> = {
        major,
        minor,
        micro,
        serial,
        releaselevel: `${quote}${level}${quote}`,
        sha: "os.environ.get('major', {'major': 9}, (9, '}'))[0:6]",
      };
      const entries = order.map(key => `${quote}${key}${quote}${before}:${after}${values[key]}`);
      return `__version_info__${before}=${after}{${entries.join(separator)}${trailing}}`;
    },
  }));

const dressed = (template: fc.Arbitrary<Template>, decoy: fc.Arbitrary<string>): fc.Arbitrary<Template> =>
  fc
    .record({
      template,
      before: decoy,
      after: decoy,
      newline: fc.constantFrom('\n', '\r\n'),
      end: fc.constantFrom('', '\n'),
      mark: fc.constantFrom('', '\uFEFF'),
    })
    .map(({template, before, after, newline, end, mark}) => ({
      ...template,
      write: version => mark + [before, template.write(version), after].join('\n').concat(end).replaceAll('\n', newline),
    }));

const json = fc.jsonValue();
const packageJson: fc.Arbitrary<Template> = fc
  .record({
    before: fc.dictionary(
      fc.string().filter(key => key !== 'version'),
      json,
    ),
    nested: json,
    indent: fc.constantFrom(0, 2, '\t'),
    mark: fc.constantFrom('', '\uFEFF'),
  })
  .map(({before, nested, indent, mark}) => ({
    path: 'package.json',
    write: version =>
      mark + JSON.stringify({...before, nested: {version: '9.9.9', nested}, version, more: [{version: '9.9.9'}]}, null, indent),
  }));

const tomlDecoy = fc.constantFrom(
  '',
  '# version = "9.9.9"',
  'x = """\nversion = "9.9.9"\n"""',
  "y = [\n'version', # ]\n{version = '9.9.9'}\n]",
);
const toml: fc.Arbitrary<Template> = fc
  .record({
    header: fc.constantFrom('[project]', '[tool.poetry]', '[ tool . "poetry" ]'),
    quote: fc.constantFrom('"', "'"),
    before: blank,
    after: blank,
    decoy: tomlDecoy,
  })
  .map(({header, quote, before, after, decoy}) => ({
    path: 'pyproject.toml',
    write: version =>
      `[a]\nversion = "9.9.9"\n${header}\n${decoy}\nversion${before}=${after}${quote}${version}${quote}${after}# 9.9.9\n[b]\nversion = "9.9.9"`,
  }));

const ini: fc.Arbitrary<Template> = fc
  .record({
    before: blank,
    equals: fc.constantFrom('=', ':'),
    after: blank,
    decoy: fc.constantFrom('', '# version = 9.9.9', 'x =\n  version = 9.9.9\n\n  ; y'),
  })
  .map(({before, equals, after, decoy}) => ({
    path: 'setup.cfg',
    write: version =>
      `[a]\nversion=9.9.9\n[metadata]\n${decoy}\nversion${before}${equals}${after}${version}${after}\nz = 1\n[b]\nversion = 9.9.9`,
  }));

const pythonTuple: fc.Arbitrary<Template> = fc
  .record({quote, separator: fc.constantFrom(',', ', ', ',\n  # 9\n  '), trailing: fc.constantFrom('', ','), space: blank})
  .map(({quote, separator, trailing, space}) => ({
    path: 'a/version.py',
    write: version => {
      const [, core = '', label, number = '0'] = /^([\d.]+)(?:-(alpha|beta|RC|SNAPSHOT)\.?(\d*))?$/.exec(version) ?? [];
      const level = {alpha: 'alpha', beta: 'beta', RC: 'candidate', SNAPSHOT: 'dev'}[label ?? ''] ?? 'final';
      const parts = [...core.split('.'), `${quote}${level}${quote}`, number === '' ? '0' : number];
      return `levels = ['dev']\n__version_info__ =${space}(${parts.join(separator)}${trailing})`;
    },
  }));
const passLabel = fc.oneof(
  fc.tuple(release, part).map(([version, number]) => `${version}-RC${number}`),
  release.map(version => `${version}-SNAPSHOT`),
);

const setupPy: fc.Arbitrary<Template> = fc
  .record({
    quote: fc.constantFrom('"', "'"),
    before: blank,
    after: blank,
    others: fc.constantFrom('', "name='9.9.9', ", 'x(version="9.9.9"),\n'),
  })
  .map(({quote, before, after, others}) => ({
    path: 'setup.py',
    write: version => `setup(${others}version${before}=${after}${quote}${version}${quote}, y=[version])`,
  }));

const packageLock: fc.Arbitrary<Template> = fc
  .record({nested: json, own: fc.boolean(), indent: fc.constantFrom(0, 2, '\t'), mark: fc.constantFrom('', '\uFEFF')})
  .map(({nested, own, indent, mark}) => ({
    path: 'package-lock.json',
    write: version => {
      const packages = {'node_modules/version': {version: '9.9.9', nested}, ...(own && {'': {version, nested}})};
      return (
        mark + JSON.stringify({lockfileVersion: 3, packages, version, dependencies: {version: {version: '9.9.9'}}}, null, indent)
      );
    },
  }));

const anyText: fc.Arbitrary<Template> = fc
  .record({before: fc.string(), after: fc.string()})
  .filter(({before, after}) => !`${before}${after}`.includes('@'))
  .map(({before, after}) => ({
    path: 'any.xml',
    patterns: ['@(?<version>[^@]*)@'],
    write: version => `${before}@${version}@${after}`,
  }));

const plain: fc.Arbitrary<Template> = fc
  .constantFrom('', '\n', ' ', '\n\n')
  .map(end => ({path: 'VERSION', write: version => `${end}${version}${end}`}));

/** The text without the ranges: what an edit must leave as it is. */
const outside = (text: string, {ranges}: FoundVersion): string[] => [
  ...ranges.map(({start}, index) => text.slice(ranges[index - 1]?.end ?? 0, start)),
  text.slice(ranges.at(-1)?.end ?? 0),
];

describe.each([
  ['Python literal', dressed(pythonLiteral, pythonDecoy), anyVersion],
  ['Python dictionary', dressed(pythonDictionary, pythonDecoy), fc.oneof(release, prerelease)],
  ['Python tuple', dressed(pythonTuple, pythonDecoy), fc.oneof(release, prerelease, passLabel)],
  ['setup.py', dressed(setupPy, pythonDecoy), anyVersion],
  ['package.json', packageJson, anyVersion],
  ['package-lock.json', packageLock, anyVersion],
  ['file with a pattern', dressed(anyText, fc.constant('')), anyVersion],
  ['pyproject.toml', dressed(toml, tomlDecoy), anyVersion],
  ['setup.cfg', dressed(ini, fc.constantFrom('', '; version = 9.9.9')), anyVersion],
  ['VERSION file', dressed(plain, fc.constant('')), anyVersion],
])('any %s', (_name, templates, versions) => {
  test('says its version, takes another, and is the same otherwise', () => {
    fc.assert(
      fc.property(templates, versions, versions, ({write, ...file}, old, version) => {
        const text = write(old);
        const found = findVersion({...file, text});
        expect(found.version).toBe(old);

        const edited = editVersion({...file, text}, version);
        const after = findVersion({...file, text: edited});
        expect(after.version).toBe(version);
        expect(outside(edited, after)).toEqual(outside(text, found));

        const was = found.ranges.map(({start, end}) => text.slice(start, end));
        expect(restoreVersion({...file, text: edited}, was)).toBe(text);
      }),
    );
  });
});

test('no text makes it do anything but answer or throw a VersionFileError', () => {
  const paths = fc.constantFrom('a.py', 'setup.py', 'package.json', 'pyproject.toml', 'setup.cfg', 'VERSION');
  const pieces = fc.constantFrom(
    '__version__',
    '__version_info__',
    'version',
    '=',
    ':',
    '"',
    "'",
    '"""',
    '1.2.3',
    '(1, 2, 3)',
    '{',
    '}',
    '[project]',
    '[metadata]',
    '\n',
    '\r',
    ' ',
    '#',
    '\\',
    ',',
    'setup(',
  );
  const texts = fc.oneof(
    fc.string({unit: 'binary'}),
    fc.array(pieces, {maxLength: 30}).map(parts => parts.join('')),
  );
  fc.assert(
    fc.property(paths, texts, (path, text) => {
      try {
        editVersion({path, text}, '7.7.7');
      } catch (error) {
        expect(error).toBeInstanceOf(VersionFileError);
      }
    }),
    {numRuns: 1000},
  );
});
