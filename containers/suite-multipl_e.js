// A TypeScript compiler that starts with its libraries parsed: a start-up snapshot of Node (18.20 or newer).
//
//   node suite-multipl_e.js FOLDER/lib/typescript.js FOLDER/lib ENTRY    writes ENTRY, one file of all that it needs
//   node --snapshot-blob BLOB --build-snapshot ENTRY                     makes the snapshot
//   node --snapshot-blob BLOB tsc [OPTIONS] FILE                         compiles as `tsc [OPTIONS] FILE` does
//
// The same parser of options, checker and emitter as tsc, which spends nine tenths of its time on reading itself and the
// declarations of the browser (measured with 5.6.3: 1.9 s of processor time, 0.3 s with the snapshot). Files of the
// library are parsed once for the default target of a run; they are never changed by a program that uses them.

'use strict';
const fs = require('fs');
const path = require('path');

function main(compiler, folder, target) {
  const names = fs.readdirSync(folder).filter((name) => /^lib\..*\.?d\.ts$/.test(name));
  const libraries = Object.fromEntries(names.map((name) => [name, fs.readFileSync(path.join(folder, name), 'utf8')]));
  fs.writeFileSync(target, [
    'const holder = { exports: {} };',
    `(function (module, exports) {${fs.readFileSync(compiler, 'utf8')}\n})(holder, holder.exports);`,
    `(${warm})(holder.exports, ${JSON.stringify(libraries)});`,
  ].join('\n'));
}

function warm(ts, libraries) {
  const FOLDER = '/typescript/';
  const parsed = new Map();

  function libraryFile(name, options) {
    const target = typeof options === 'object' ? options.languageVersion : options;
    const key = `${target} ${name}`;
    if (!parsed.has(key) && name in libraries) {
      parsed.set(key, ts.createSourceFile(FOLDER + name, libraries[name], options));
    }
    return parsed.get(key);
  }

  function hostOf(read, write) {
    const isLibrary = (name) => name.startsWith(FOLDER);
    return {
      getSourceFile(name, options) {
        if (isLibrary(name)) return libraryFile(name.slice(FOLDER.length), options);
        const text = read(name);
        return text === undefined ? undefined : ts.createSourceFile(name, text, options);
      },
      writeFile: write,
      getDefaultLibFileName: (options) => FOLDER + ts.getDefaultLibFileName(options),
      getDefaultLibLocation: () => FOLDER.slice(0, -1),
      useCaseSensitiveFileNames: () => true,
      getCanonicalFileName: (name) => name,
      getCurrentDirectory: () => '',
      getNewLine: () => '\n',
      fileExists: (name) => (isLibrary(name) ? name.slice(FOLDER.length) in libraries : read(name) !== undefined),
      readFile: read,
      directoryExists: () => false,
    };
  }

  function compile(argv, read, write, say) {
    const { options, fileNames, errors } = ts.parseCommandLine(argv, read);
    const host = hostOf(read, write);
    const program = ts.createProgram(fileNames, options, host);
    const found = [...errors, ...ts.getPreEmitDiagnostics(program)];
    found.push(...program.emit().diagnostics);
    if (found.length) say(ts.formatDiagnostics(ts.sortAndDeduplicateDiagnostics(found), host));
    return found.length ? 2 : 0;
  }

  const first = 'const numbers: number[] = [1, 2].map((one) => one + 1);\n';
  const options = ['--target', 'esnext', '--skipDefaultLibCheck', 'first.ts'];
  compile(options, (name) => (name === 'first.ts' ? first : undefined), () => {}, () => {});

  require('v8').startupSnapshot.setDeserializeMainFunction(() => {
    const fs = require('fs');
    const read = (name) => {
      try {
        return fs.readFileSync(name, 'utf8');
      } catch {
        return undefined;
      }
    };
    const argv = process.argv.slice(2);
    if (argv.includes('--version')) {
      console.log(`Version ${ts.version}`);
      return;
    }
    process.exitCode = compile(
      argv, read, (name, text) => fs.writeFileSync(name, text), (text) => fs.writeSync(1, text),
    );
  });
}

main(...process.argv.slice(2));
