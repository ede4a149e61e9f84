"""The languages of MultiPL-E: how a program of each is made, compiled, run, and known to have run its tests.

Sources: nuprl/MultiPL-E@24e5d5d ``evaluation/src``: ``main.py`` (program = prompt + completion + newline + tests),
``eval_{java,php,sh}.py``, ``safe_subprocess`` (15 s per command); its ``eval_{cpp,cs,ts}.py`` by copies that other
repositories keep (csc and 5 s for C#, ``--target esnext`` for TypeScript). QwenLM/Qwen2.5-Coder@d5ead97
``multiple-eval/human_eval/execution.py``, whose problem files are pinned, differs and is not followed: 10 s in all, mcs
for csc, a second try of TypeScript under another target, JavaScript fails where it prints anything, and C# passes
whenever its error output lacks the word "Fail": an uncaught exception passes there.

Every program prints ``NONCE`` after its last test, from inside the function that holds the tests: a program that ends
itself before them exits with 0 and has printed nothing. Where a language lets a program take the assertion away (a
macro in C++, ``set`` in bash, a trace listener in C#), the test's own text puts it back. What is left is lexical.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import BadInput
from .multipl_e_signs import SIGNS
from .suites import NONCE, PROGRAM, STEPS, Environment, Limits, Requirement, Rule, Step

_SECONDS = 15.0
_CSHARP_SECONDS = 5.0
_JAVATUPLES = "/usr/share/java/javatuples.jar"
_TYPESCRIPT = "5.6.3"
_INSTALL = "make suite-multipl_e"


@dataclass(frozen=True)
class Language:
    """One language. Texts are put around the tests as the problem file has them, never inside a line."""

    name: str
    title: str
    file_name: str
    steps: tuple[Step, ...]
    environment: Environment
    test: str
    """How the line of a test begins."""
    end: str
    """The line that ends the function of the tests: the first such line after the last test."""
    mark: str
    """Prints the nonce there, on a line of its own: a program may have left one open."""
    before: tuple[str, str] = ("", "")
    """(line, text that goes before it)."""
    after: tuple[str, str] = ("", "")
    """(line, text that goes after it)."""
    after_each: str = ""
    """Goes after every test."""
    last: str = ""
    """Goes to the end of the file."""
    syntax: tuple[str, ...] = ()
    """What its interpreter says of a program that does not parse."""
    wrong: tuple[str, ...] = ()
    """What a test that failed says."""

    @property
    def rule(self) -> Rule:
        return Rule(syntax=self.syntax, wrong=self.wrong)


def file_text(language: Language, tests: str) -> str:
    """The file that is compiled or run, with slots for program and nonce. BadInput for tests of another form."""
    return f"{PROGRAM}\n{_marked(language, tests)}"


def test_lines(language: Language, tests: str) -> list[str]:
    """The tests by name: the first line of each."""
    return [line.strip() for line in tests.split("\n") if line.startswith(language.test)]


def _marked(language: Language, tests: str) -> str:
    lines = tests.split("\n")
    starts = [number for number, line in enumerate(lines) if line.startswith(language.test)]
    ends = [number for number, line in enumerate(lines) if starts and number > starts[-1] and line == language.end]
    places = [number for number, line in enumerate(lines) for anchor in _anchors(language) if line == anchor]
    if not ends or len(places) != len(_anchors(language)):
        raise BadInput(
            f"tests of MultiPL-E {language.name} are not of the known form", "take the problem files of the pin"
        )
    marked: list[str] = []
    for number, line in enumerate(lines):
        is_after_test = number in starts[1:] or number == ends[0]
        marked += [language.after_each] if language.after_each and is_after_test else []
        marked += [language.mark] if number == ends[0] else []
        marked += [language.before[1]] if language.before[0] and line == language.before[0] else []
        marked.append(line)
        marked += [language.after[1]] if language.after[0] and line == language.after[0] else []
    return "\n".join([*marked, *([language.last] if language.last else [])])


def _anchors(language: Language) -> list[str]:
    return [line for line, _ in (language.before, language.after) if line]


_JAVA_FLAGS = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto")
"""One compiler and one thread: half the processor time of a short run (javac 0.80 s of it down to 0.48), same words."""
_RUNTIME_LIMITS = Limits(memory_bytes=None)
"""Java, Node and Mono reserve more than they use."""


def _tool(name: str, package: str, *probe: str) -> Requirement:
    return Requirement(name, f"apt install {package}", probe=probe or (name, "--version"))


def _environment(
    language: str,
    install: str,
    requirements: Sequence[Requirement],
    *,
    needs_folder: bool = False,
    variables: Mapping[str, str] = {},
    binds: tuple[str, ...] = (),
) -> Environment:
    return Environment(
        name=f"multipl_e_{language}",
        runner=STEPS,
        install=install,
        requirements=tuple(requirements),
        needs_folder=needs_folder,
        variables={"LC_ALL": "C.UTF-8", **variables},
        binds=binds,
        limits=_RUNTIME_LIMITS,
        patterns=SIGNS[language],
    )


_CPP = Language(
    name="cpp",
    title="C++",
    file_name="test.cpp",
    steps=(
        Step("compile", ("g++", "-std=c++17", "test.cpp", "-o", "test"), _SECONDS, failure="syntax"),
        Step("run", ("./test",), _SECONDS),
    ),
    environment=_environment("cpp", "apt install g++", [_tool("g++", "g++")]),
    test="    assert(",
    end="}",
    mark=f'    __builtin_puts("\\n{NONCE}");',
    before=(
        "int main() {",
        "static void forge_check(bool is_right, const char *test) {\n"
        '    if (!is_right) { ::fputs(test, stderr); ::fputs(": Assertion failed\\n", stderr); __builtin_trap(); }\n'
        "}\n"
        "#undef assert\n"
        "#define assert(...) forge_check(static_cast<bool>(__VA_ARGS__), #__VA_ARGS__)",
    ),
    wrong=("Assertion failed",),
)
_CS = Language(
    name="cs",
    title="C#",
    file_name="Program.cs",
    steps=(
        Step("compile", ("mcs", "-d:DEBUG", "-r:System.Numerics.dll", "Program.cs"), _SECONDS, failure="syntax"),
        Step("run", ("mono", "Program.exe"), _CSHARP_SECONDS),
    ),
    environment=_environment(
        "cs",
        "apt install --no-install-recommends mono-mcs mono-runtime libmono-system-core4.0-cil "
        "libmono-system-numerics4.0-cil",
        [
            Requirement("mcs", "apt install mono-mcs", ("mcs", "--version"), version="Mono C# compiler"),
            Requirement("mono", "apt install mono-runtime", ("mono", "--version"), version="Mono JIT compiler"),
        ],
        variables={"MONO_TRACE_LISTENER": "Console.Error"},
        binds=("/etc/mono",),
    ),
    test="    Debug.Assert(",
    end="    }",
    mark=f'    global::System.Console.Out.WriteLine("\\n{NONCE}");',
    after=(
        "    public static void Main(string[] args) {",
        "    global::System.Diagnostics.Debug.Listeners.Clear();\n"
        "    global::System.Diagnostics.Debug.Listeners.Add(new ForgeFailure());",
    ),
    last=(
        "class ForgeFailure : global::System.Diagnostics.TraceListener {\n"
        "    public override void Write(string text) { }\n"
        "    public override void WriteLine(string text) { }\n"
        "    public override void Fail(string text) { Fail(text, null); }\n"
        "    public override void Fail(string text, string detail) {\n"
        '        global::System.Console.Error.WriteLine("Fail: " + text);\n'
        "        global::System.Environment.Exit(1);\n"
        "    }\n"
        "}\n"
    ),
    wrong=("Fail: ",),
)
_JAVA = Language(
    name="java",
    title="Java",
    file_name="Problem.java",
    steps=(
        Step(
            "compile",
            (
                "javac",
                *(f"-J{flag}" for flag in _JAVA_FLAGS),
                *("-proc:none", "-encoding", "UTF8", "-cp", _JAVATUPLES, "Problem.java"),
            ),
            _SECONDS,
            failure="syntax",
        ),
        Step("run", ("java", *_JAVA_FLAGS, "-ea", "-cp", f".:{_JAVATUPLES}", "Problem"), _SECONDS),
    ),
    environment=_environment(
        "java",
        "apt install default-jdk-headless libjavatuples-java",
        [
            _tool("javac", "default-jdk-headless"),
            _tool("java", "default-jdk-headless"),
            _tool("javatuples", "libjavatuples-java", "ls", _JAVATUPLES),
        ],
        binds=tuple(f"/etc/java-{version}-openjdk" for version in (11, 17, 21, 25)),
    ),
    test="    assert(",
    end="    }",
    mark=f'    java.lang.System.out.println("\\n{NONCE}");',
    wrong=("AssertionError",),
)
_NODE_WRITES = f"  require('node:fs').writeSync(1, \"\\n{NONCE}\\n\");"
_JS = Language(
    name="js",
    title="JavaScript",
    file_name="test.js",
    steps=(Step("run", ("node", "test.js"), _SECONDS),),
    environment=_environment("js", "apt install nodejs", [_tool("node", "nodejs")]),
    test="  assert.deepEqual(",
    end="}",
    mark=_NODE_WRITES,
    syntax=("SyntaxError",),
    wrong=("ERR_ASSERTION",),
)
_PHP = Language(
    name="php",
    title="PHP",
    file_name="test.php",
    steps=(Step("run", ("php", "test.php"), _SECONDS),),
    environment=_environment("php", "apt install php-cli", [_tool("php", "php-cli")], binds=("/etc/php",)),
    test="    if (candidate(",
    end="}",
    mark=f'    echo "\\n{NONCE}\\n";',
    syntax=("PHP Parse error", "Parse error:"),
    wrong=("Test failed!",),
)
_SH = Language(
    name="sh",
    title="bash",
    file_name="test.sh",
    steps=(Step("run", ("bash", "test.sh"), _SECONDS),),
    environment=_environment(
        "sh",
        "apt install bash coreutils grep sed gawk bc",
        [
            _tool("bash", "bash"),
            Requirement("bc", "apt install bc", probe=("bc", "--version"), is_optional=True),
        ],
    ),
    test="    [[ $(candidate ",
    end="}",
    mark=f"    builtin printf '\\n%s\\n' {NONCE}",
    after_each="    builtin test $? -eq 0 || builtin exit 1",
    syntax=("syntax error",),
)
_TS = Language(
    name="ts",
    title="TypeScript",
    file_name="test.ts",
    steps=(
        Step("compile", ("tsc", "--target", "esnext", "--skipDefaultLibCheck", "test.ts"), _SECONDS, failure="syntax"),
        Step("run", ("node", "test.js"), _SECONDS),
    ),
    environment=_environment(
        "ts",
        _INSTALL,
        [
            _tool("node", "nodejs"),
            Requirement(
                "typescript",
                _INSTALL,
                probe=("tsc", "--version"),
                version=_TYPESCRIPT,
            ),
        ],
        needs_folder=True,
    ),
    test="  assert.deepEqual(",
    end="}",
    mark=_NODE_WRITES,
    wrong=("ERR_ASSERTION",),
)

LANGUAGES: Mapping[str, Language] = {one.name: one for one in (_CPP, _CS, _JAVA, _JS, _PHP, _SH, _TS)}

_IMPORT_ONLY: Mapping[str, tuple[str, str]] = {
    "d": ("ldc2", "ldc"),
    "go": ("go", "golang-go"),
    "jl": ("julia", "julia"),
    "lua": ("lua5.3", "lua5.3"),
    "pl": ("perl", "perl"),
    "r": ("Rscript", "r-base-core"),
    "rb": ("ruby", "ruby"),
    "rkt": ("racket", "racket"),
    "rs": ("rustc", "rustc"),
    "scala": ("scalac", "scala"),
    "swift": ("swiftc", "swiftlang"),
}
"""Language -> (tool, package that has it). Their verdicts are imported, and readiness says what is missing; no program
of them is run here."""
ENVIRONMENTS: Mapping[str, Environment] = {
    **{name: language.environment for name, language in LANGUAGES.items()},
    **{
        name: Environment(
            name=f"multipl_e_{name}",
            runner=STEPS,
            install=f"apt install {package}",
            requirements=(_tool(tool, package, tool, "version" if tool == "go" else "--version"),),
            needs_folder=False,
        )
        for name, (tool, package) in _IMPORT_ONLY.items()
    },
}
IMPORT_ONLY = tuple(_IMPORT_ONLY)
