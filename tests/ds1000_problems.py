"""Problems made in DS-1000's format: a number is doubled, a test case per number from 1."""

from __future__ import annotations

from typing import Any

TAIL = '''
def exec_test(result, ans):
    return int(result == ans)


exec_context = r"""
value = test_input
{context}
"""


def test_execution(solution: str):
    code = exec_context.replace("[insert]", solution)
    for i in range({cases}):
        test_input, expected_result = generate_test_case(i + 1)
        test_env = {{"test_input": test_input}}
        exec(code, test_env)
        assert exec_test(test_env["result"], expected_result)
'''
STRING = """

def test_string(solution: str):
    assert "for" not in solution
"""


def problem(number: int = 0, *, context: str = "[insert]", cases: int = 2, string: str = "", **facts: Any) -> dict:
    """Doubles a number; a test case per number from 1."""
    metadata = {"problem_id": number, "library_problem_id": number, "library": "Pandas", "test_case_cnt": cases}
    metadata |= {"perturbation_type": "Origin", "perturbation_origin_id": number, **facts}
    given = "def generate_test_case(number):\n    return number, 2 * number\n\n"
    return {
        "prompt": "Double it.\nresult = ... # put solution in this variable\nBEGIN SOLUTION\n<code>\n",
        "reference_code": "result = 2 * value",
        "metadata": metadata,
        "code_context": given + TAIL.format(context=context, cases=cases) + string,
    }
