# ruff: noqa: E501 - programs are data
"""CRUXEval: text that is no prediction (``output``) and text that is no input (``input``)."""

from __future__ import annotations

from .attack import Attack

_NO = ("not_one_expression",)


def _output(name: str, text: str, reasons: tuple[str, ...] = ()) -> Attack:
    return Attack(f"output: {name}", text, "output", reasons)


def _input(name: str, text: str, reasons: tuple[str, ...] = ()) -> Attack:
    return Attack(f"input: {name}", text, "input", reasons)


OUTPUT = [
    _output("or true", "0 or True"),
    _output("a conditional", "0 if False else True"),
    _output("a comparison", "'ABAB' == 'ABAB'"),
    _output("a message after it", "'x', 'message'"),
    _output("a statement after it", "'ABAB'\nimport os", _NO),
    _output("a statement on the line", "'ABAB'; x = 1", _NO),
    _output("an assignment", "f = 'ABAB'", _NO),
    _output("the function itself", "f( 'ab', 2)"),
    _output("the function by its globals", "(lambda g: g['f'])(globals())('ab', 2)"),
    _output("the function by frames", "[x for x in [__import__('sys')._getframe(n).f_globals.get('f') for n in range(9)] if x][0]('ab', 2)"),
    _output("the function by its source in memory", "(lambda n: (exec([o['code'] for o in __import__('gc').get_objects() if type(o) is dict and 'code' in o and 'step' in o][0], n), n['f']('ab', 2))[1])({})"),
    _output("the expected output in memory", "[o['output'] for o in __import__('gc').get_objects() if type(o) is dict and 'output' in o][0]"),
    _output("mock.ANY", "__import__('unittest.mock').mock.ANY", ("opaque_type",)),
    _output("always-equal object", "type('Y', (str,), {'__eq__': lambda s, o: True, '__hash__': None})()"),
    _output("forged answer on the pipe", "__import__('os').write(3, b'[\"a\",0,0.1,0.1,true]\\n') and __import__('os')._exit(0)"),
    _output("forged pair on the pipe", "__import__('os').write(3, b'[\"a\",0,0.1,0.1,{\"!\":\"t\",\"v\":[false,{\"!\":\"?\",\"v\":\"x\"}]}]\\n[\"end\",1]\\n') and __import__('os')._exit(0)"),
    _output("a walrus that rebinds", "(f := 'x')"),
    _output("a star", "*'ABAB',"),
    _output("await", "await 'ABAB'"),
    _output("yield", "(yield)"),
    _output("a comment that hides", "'x' # == 'ABAB'"),
    _output("an exit", "exit(0)"),
    _output("a generator", "(c for c in 'ABAB')"),
]  # fmt: skip
INPUT = [
    _input("the output itself", "'ABAB' # f("),
    _input("the output or a call", "'ABAB' or f('x', 1)", _NO),
    _input("a call or the output", "f('x', 1) or 'ABAB'", _NO),
    _input("a comparison", "0 or f('x', 1) != 0", _NO),
    _input("f rebound in an argument", "f((globals().update(f=lambda *a: 'ABAB'), 'x')[1], 1)"),
    _input("f rebound by a walrus", "f((f := lambda *a: 'ABAB') and 'x', 1)"),
    _input("code of f replaced", "f(f.__setattr__('__code__', (lambda s, n: 'ABAB').__code__) or 'x', 1)"),
    _input("code of every f replaced", "f([setattr(o, '__code__', (lambda s, n: 'ABAB').__code__) for o in __import__('gc').get_objects() if type(o).__name__ == 'function' and o.__name__ == 'f'] and 'x', 1)"),
    _input("builtins replaced", "f(__builtins__.update(str=lambda *a: 'ABAB') or 'x', 1)"),
    _input("a string with an upper of its own", "f(type('S', (str,), {'upper': lambda s: 'ABAB'})('x'), 1)"),
    _input("a number with a product of its own", "f('x', type('N', (int,), {'__rmul__': lambda s, o: 'ABAB'})(1))"),
    _input("an object for both", "f(type('S', (), {'upper': lambda s: s, '__mul__': lambda s, n: 'ABAB'})(), 1)"),
    _input("an object in a plain list", "f([type('S', (), {'upper': lambda s: 'ABAB'})()][0], 1)"),
    _input("a lambda for text", "f(lambda: 'ABAB', 1)"),
    _input("a lambda with attributes", "f((lambda s: s.__class__)('x'), lambda: 0)"),
    _input("a lambda that calls f", "f((lambda g: g)(f), 1)"),
    _input("keywords that are not its own", "f(**{'s': 'x', 'n': 1, 'return': 'ABAB'})"),
    _input("forged arguments on the pipe", "f(__import__('os').write(3, b'[\"a\",0,0.1,0.1,{\"!\":\"t\",\"v\":[[{\"!\":\"?\",\"v\":\"x\"},1],{\"!\":\"d\",\"v\":[[],[]]}]}]\\n[\"end\",1]\\n') and __import__('os')._exit(0), 1)"),
    _input("forged answer for arguments", "f(__import__('os').write(3, b'[\"a\",0,0.1,0.1,\"ABAB\"]\\n[\"end\",1]\\n') and __import__('os')._exit(0), 1)"),
    _input("a method called f", "type('T', (), {'f': staticmethod(lambda *a: 'ABAB')}).f('x', 1)", _NO),
    _input("f of f", "(lambda f: f('x', 1))(lambda *a: 'ABAB')", _NO),
    _input("an argument without end", "f('x' * 10 ** 10, 1)"),
]  # fmt: skip

ATTACKS = [*OUTPUT, *INPUT]
