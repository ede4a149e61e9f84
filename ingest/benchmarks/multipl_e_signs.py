r"""Lexical signs of tampering in the languages of MultiPL-E, over prompt and completion.

Texts of these languages are not parsed, so a sign is a spelling. ``tamper``: no honest solution of HumanEval's problems
needs it, and it ends the program, reads the program's own text, takes assertions away or puts other names in the place
of the tests' (refused). ``tamper_risk``: it may (counted officially, not strictly). Measured on QwenLM/Qwen2.5-Coder@
d5ead97's recorded samples: none of the 466 that pass has a sign of the first level
(``tests/suites/multipl_e_recorded.py``). A spelling can be avoided (``eval`` of a built string is why ``eval`` is a
sign itself); the detection rate that stands on the leaderboard is measured, not promised.
"""

from __future__ import annotations

from collections.abc import Mapping

from .suites import RISK, TAMPER, Pattern


def _signs(level: str, **expressions: str) -> tuple[Pattern, ...]:
    return tuple(Pattern(name, level, expression) for name, expression in expressions.items())


_USUAL_MACROS = r"(?!NDEBUG)(?!EOF)(?!NULL)([A-Z][A-Z0-9_]*|ll|ull|ld|pb|mp|fi|se|rep|all|vi|pii)\b"
_CPP = (
    *_signs(
        TAMPER,
        ends_the_program=r"\b(_?_?[eE]xit|quick_exit|abort|terminate|at_?(quick_)?exit|longjmp|siglongjmp)\s*[(;,)]"
        r"|\b(pthread|thrd)_exit\b|::\s*(_?exit|_Exit|quick_exit|abort)\b",
        other_processes=r"\b(v?fork|clone|exec[lv]p?e?|execveat|posix_spawnp?|system|popen|kill|raise|syscall|ptrace)\s*\(",
        handlers=r"\b(signal|sigaction)\s*\(|\bset_(terminate|unexpected|new_handler)\b",
        descriptors=r"\b(dup[23]?|f?reopen|fclose|setvbuf|setbuf|rdbuf)\s*\(|\bstd(out|err)\s*=",
        own_text=r"__FILE__|__BASE_FILE__|__INCLUDE_LEVEL__|/proc\b|\bdl(open|sym|iterate_phdr)\b|\bincbin\b",
        preprocessor=r"^[ \t]*(#|%:|\?\?=)[ \t]*(undef|pragma|line|if|ifdef|ifndef|else|elif)\b|\b_Pragma\b"
        r"|^[ \t]*(#|%:|\?\?=)[ \t]*define[ \t]+(?!" + _USUAL_MACROS + r")"
        r"|^[ \t]*(#|%:)[ \t]*include[ \t]*[^<\s]",
        assertion=r"\b_*assert\w*_fail\b|\bNDEBUG\b|\bforge_check\b",
        machine_code=r"\b(asm|__asm__|__asm|mprotect|mmap)\s*(volatile)?\s*\(|__attribute__|\[\[\s*gnu::"
        r"|\b__builtin_(?!popcount|parity|ffs|clz|ctz|abs|expect|s?u?(add|sub|mul)l*_overflow|(add|sub|mul)_overflow)",
        other_main=r"\bmain\s*\(|extern\s*\"C",
        other_equality=r"(?<!using )\bnamespace\s+std\b|\boperator\s*==\s*\([^)]*,",
    ),
    *_signs(
        RISK,
        macro=r"^[ \t]*#[ \t]*define\b",
        memory_by_address=r"\breinterpret_cast\b|\(\s*(const\s+)?(unsigned\s+)?(char|void|u?int8_t|long)\s*(const\s*)?\*\s*\)",
    ),
)
_CS = _signs(
    TAMPER,
    ends_the_program=r"\bEnvironment\s*\.\s*(Exit|FailFast|ExitCode)|\bProcess(StartInfo)?\s*[.({]|\bAbort\s*\(",
    listeners=r"\b(Listeners|TraceListener|DefaultTraceListener|ForgeFailure|Trace\s*\.|SetError|SetOut|OpenStandard)",
    assertion=r"\b(class|struct|interface|enum|delegate|namespace|using)\s+(\w+\s*=\s*)?(Debug|Diagnostics|System(?!\s*[;.])|global)\b"
    r"|\busing\s+(Debug|Diagnostics|System|Console)\s*="
    r"|\bDebug\s*[={(]",
    own_text=r"\b(Assembly|AppDomain|GetManifestResource|StackTrace|StackFrame|CallerFilePath|CommandLine)\b|/proc\b",
    reflection=r"\b(Reflection|GetType\s*\(\s*\)\s*\.|typeof\s*\([^)]*\)\s*\.\s*Get|Activator|GetMethod|GetField|Emit)\b",
    machine_code=r"\b(Marshal|DllImport|stackalloc|RuntimeHelpers)\b|\bunsafe\s*\{|\b(unsafe|extern)\s+(static|public|private|void|int|long|byte)\b",
    other_main=r"\bMain\s*\(|\bstatic\s+Problem\s*\(|~\s*Problem\b|\bProcessExit\b|\bUnhandledException\b",
    preprocessor=r"^[ \t]*#[ \t]*(define|undef|if|else|elif|pragma|line|error)\b",
    files=r"\bFile\s*\.|\bDirectory\s*\.|\bStreamReader\b|\bFileStream\b",
)
_JAVA = _signs(
    TAMPER,
    ends_the_program=r"\bSystem\s*\.\s*exit|\bRuntime\s*\.\s*(getRuntime|exit|halt)|\bhalt\s*\(|\baddShutdownHook\b",
    streams=r"\bSystem\s*\.\s*set(Out|Err|In|Property|SecurityManager)\b|\bFileDescriptor\b",
    handlers=r"\b\w*[uU]ncaughtExceptionHandler\b",
    assertion=r"AssertionStatus|assertionsDisabled|\bcatch\s*\(\s*(final\s+)?(\w+\s*\|\s*)*(Throwable|Error|AssertionError)\b",
    own_text=r"\b(getResource|getResourceAsStream|getProtectionDomain|StackWalker|getStackTrace|ProcessHandle)\b|/proc\b",
    reflection=r"\b(setAccessible|getDeclared\w+|Class\s*\.\s*forName|MethodHandles?|Unsafe|VarHandle)\b|\bProxy\s*\."
    r"|\bgetClass\s*\(\s*\)\s*\.\s*get|\.class\s*\.\s*get",
    other_classes=r"\b(class|interface|enum|record)\s+(System|String|Objects?|List|ArrayList|Arrays|Pair|Optional|java)\b",
    other_main=r"\bmain\s*\(|\bstatic\s*\{|\bClassLoader\b|\bProcessBuilder\b|\bnative\s+\w+\s+\w+\s*\(",
    files=r"\bFiles\s*\.|\b(FileReader|FileChannel|FileInputStream|RandomAccessFile|Scanner\s*\(\s*new\s+File)\b",
)
_NODE = (
    *_signs(
        TAMPER,
        ends_the_program=r"\bprocess\s*(\??\.|\[)|[=:(,]\s*process\s*[;,)\n]",
        modules=r"\brequire\b(?!\s*\(\s*['\"](node:)?crypto['\"]\s*\))|\bmodule\s*(\.\s*(?!exports)|[\[=])|\bimport\s*\(|^\s*import\s+[\w{*'\"].*['\"]|\bcreateRequire\b|\bgetBuiltinModule\b",
        global_names=r"\bglobal(This)?(\s+as\s+any)?\s*\)?\s*(\??\.|\[)|[=:(,]\s*global(This)?\s*[;,)\n]"
        r"|\bFunction\s*[(.\[]|\beval\s*[(=;)]|\.\s*constructor\b|[\"'`]constructor[\"'`]|^\s*with\s*\(",
        own_text=r"__filename|__dirname|\barguments\s*\.\s*callee\b|\.\s*(caller|stack|prepareStackTrace)\b"
        r"|\b(test|candidate)\s*\.\s*toString\b",
        assertion=r"(?<!console\.)\bassert\s*[.(=\[]|\bdeepEqual\b|\bAssertionError\b",
        test_names=r"^(function|var|let|const|class)\s+(test|candidate|require|assert)\b|^(test|candidate)\s*=(?!=)"
        r"|\bfunction\s+(test|require|assert)\b",
        prototypes=r"__proto__|\bsetPrototypeOf\b|\b__define[GS]etter__\b"
        r"|\bReflect\s*\.|\bnew\s+Proxy\b",
        top_level_return=r"^return\b",
    ),
    *_signs(
        RISK,
        prototypes_changed=r"\bdefinePropert(y|ies)\b|\.prototype\s*(\.\s*\w+|\[[^\]\n]*\])?\s*=(?!=)",
        arguments_of_the_module=r"\barguments\b|\bthis\s*\[",
        tests_as_text=r"(?<![.\w\"'`/])test\b(?!\s*=>)",
    ),
)
_TS = (
    *_NODE,
    *_signs(
        TAMPER, compiler=r"@ts-(nocheck|ignore|expect-error)|\bdeclare\s+(var|let|const|function|global)\b|///\s*<"
    ),
)
_PHP = _signs(
    TAMPER,
    ends_the_program=r"\b(exit|die)\s*[;(?]|__halt_compiler|\bposix_\w+\s*\(|\bpcntl_\w+\s*\(|\bproc_\w+\s*\(",
    handlers=r"\b(register_shutdown_function|set_(exception|error)_handler|error_reporting|ini_set|declare)\s*\(",
    output=r"\b(ob_\w+|output_\w+|flush)\s*\(|php://",
    own_text=r"__(FILE|DIR|COMPILER_HALT_OFFSET|LINE)__|\$_SERVER|\$GLOBALS|\$arg[vc]\b"
    r"|\b(get_included_files|debug_(print_)?backtrace|highlight_(file|string)|show_source|php_strip_whitespace|token_get_all)\s*\(",
    files=r"\b(fopen|file|file_get_contents|readfile|scandir|glob|include(_once)?|require(_once)?)\s*\(",
    built_code=r"\b(eval|create_function|system|shell_exec|exec|passthru|popen)\s*\(|(^|[=;(.,])\s*`",
    test_names=r"\bfunction\s+(candidate|test)\b|\bclass\s+Exception\b|\bnamespace\b|\bReflection\w*\b",
    top_level_return=r"^(return|goto|throw)\b",
    closing_tag=r"\?>",
)
_SH = (
    *_signs(
        TAMPER,
        handlers=r"\btrap\b",
        other_shell=r"(^|[;&|(`{]|\b(then|do|else))\s*(exec|kill|pkill|killall|reboot|bash|sh|python3?|perl)\b",
        shell_state=r"(^|[;&|({]|\b(then|do|else))\s*(alias|shopt|enable|builtin|readonly|unset\s+-f|hash)\b"
        r"|\b(declare|typeset|export|local)\s+-\w*[fFr]\w*\b|(^|[;&|({]|\b(then|do|else))\s*set\s+[-+]\w*[eEnTfo]",
        own_text=r"BASH_(SOURCE|ENV|ARGV0?|LINENO|EXECUTION_STRING|COMMAND|XTRACEFD)|\$\{?0\b|/proc\b|/dev/fd\b|test\.sh\b"
        r"|\bcaller\b",
        test_names=r"\b(run_test|candidate)\s*\(\s*\)|\b(function|readonly|declare|typeset|export|unset)\b[^\n]*\b(run_test|candidate)\b"
        r"|(^|[;&|({]|\bfunction)\s*(test|exit|set|printf|builtin|command|true|false)\s*\(\s*\)",
        prompt_commands=r"\b(PROMPT_COMMAND|PS4|SHELLOPTS|BASHOPTS|POSIXLY_CORRECT)\b",
        top_level_end=r"^(exit|return|logout|suspend|exec)\b",
    ),
    *_signs(
        RISK,
        ends_a_subshell=r"\bexit\b",
        files=r"\bdone\s*<\s*\"?\$|\b(cat|grep|sed|awk|head|tail|mapfile|read)\b[^|\n]*\s\*",
        built_code=r"(^|[;&|({]|\b(then|do|else))\s*(eval|source|\.)\s",
    ),
)

SIGNS: Mapping[str, tuple[Pattern, ...]] = {
    "cpp": _CPP, "cs": _CS, "java": _JAVA, "js": _NODE, "php": _PHP, "sh": _SH, "ts": _TS,
}  # fmt: skip
