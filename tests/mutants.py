"""Solutions of the exercises with one thing changed; every one of them must be refused.

`python -m tests.mutants` prints how many are, and what the learner is told.
"""

import ast
import contextlib
import copy
import inspect
import io
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pgviz.exercises import NAMES, checking, exercise
from pgviz.exercises.checking import Exercise, Refused, Report
from pgviz.exercises.child import evaluate, load

# What changes nothing that can be seen, with the reason: (exercise, mutant).
NOTHING_TO_GAIN = "where Â = 0 the slope ρ Â / T is 0 with and without the clip"
AT_THE_BORDER = "at ρ = 1 ± ε L has a kink: no slope there is more right than the other"
EQUIVALENT = {
    (
        "ppo",
        "clipped_surrogate+7: np.minimum(rho * advantages, clipped * advantages)"
        " arguments 0 and 1 swapped",
    ): "min(a, b) = min(b, a)",
    (
        "ppo",
        "clipped_surrogate+6: np.clip(rho, 1 - clip_coef, 1 + clip_coef) arguments 0 and 1 swapped",
    ): "np.clip(x, low, high) is min(max(x, low), high), and max(x, low) = max(low, x)",
    ("ppo", "surrogate_slopes+8: advantages > 0 or equal"): NOTHING_TO_GAIN,
    ("ppo", "surrogate_slopes+9: advantages < 0 or equal"): NOTHING_TO_GAIN,
    ("ppo", "surrogate_slopes+8: rho > 1 + clip_coef or equal"): AT_THE_BORDER,
    ("ppo", "surrogate_slopes+9: rho < 1 - clip_coef or equal"): AT_THE_BORDER,
}


@dataclass(frozen=True)
class Mutant:
    """A changed solution; its name says where and how."""

    name: str
    source: str


def in_this_process(exercise: Exercise, source: str) -> tuple[checking.Call, Callable[[], None]]:
    """How to call and how to load a solution that ends and does no harm."""
    filename = f"{exercise.name}.py"
    namespace: dict = {}

    def start() -> None:
        found, fault = load(source, filename)
        if fault:
            raise Refused(fault)
        namespace.update(found)

    def call(name: str, arguments: tuple) -> tuple[np.ndarray, list[int]]:
        answer = evaluate(namespace, filename, name, list(arguments))
        if "fault" in answer:
            raise Refused(answer["fault"], raised="raised" in answer)
        return answer["value"], answer["changed"]

    return call, start


def report_of(
    exercise: Exercise, source: str, checks: Sequence[checking.Check] | None = None
) -> Report:
    """What the learner would be told."""
    call, start = in_this_process(exercise, source)
    with contextlib.redirect_stdout(io.StringIO()):
        return checking.run(exercise, call, start, checks)


def first_refusal(exercise: Exercise, source: str) -> str:
    """What the first check that fails says; "" if all hold. CartPole is not asked."""
    call, start = in_this_process(exercise, source)
    yours = checking.Yours(exercise, call)
    try:
        with np.errstate(all="ignore"):
            start()
            for check in exercise.checks[:-1]:
                check(yours)
    except Refused as refusal:
        return str(refusal)
    return ""


def with_mistake(exercise: Exercise, mistake: checking.Mistake) -> str:
    """The solution in which a known mistake stands in place of its function."""
    return exercise.source() + textwrap.dedent(
        f"""
        from pgviz.exercises import exercise as _exercise
        {mistake.function} = next(
            one.wrong for one in _exercise({exercise.name!r}).mistakes if one.name == {mistake.name!r}
        )
        """
    )


def mutants(exercise: Exercise) -> Iterator[Mutant]:
    """Every change of one node of the functions to write."""
    tree = ast.parse(exercise.source())
    seen = {ast.unparse(tree)}
    for function in tree.body:
        if not isinstance(function, ast.FunctionDef) or function.name not in exercise.functions:
            continue
        nodes = [node for node in ast.walk(function) if not isinstance(node, ast.arguments)]
        for at, node in enumerate(nodes):
            if node is function:
                continue
            for how, change in changes(node):
                unknown = how.startswith("is ") and how[3:].isidentifier()
                if (
                    unknown
                    and how[3:]
                    not in inspect.signature(getattr(exercise.solution, function.name)).parameters
                ):
                    continue
                whole = copy.deepcopy(tree)
                twin = next(
                    one
                    for one in whole.body
                    if isinstance(one, ast.FunctionDef) and one.name == function.name
                )
                own = [one for one in ast.walk(twin) if not isinstance(one, ast.arguments)][at]
                replaced = change(own)
                _Replace(own, replaced).visit(whole)
                ast.fix_missing_locations(whole)
                text = ast.unparse(whole)
                if text not in seen:
                    seen.add(text)
                    line = getattr(node, "lineno", 0) - function.lineno
                    yield Mutant(f"{function.name}+{line}: {ast.unparse(node)} {how}", text + "\n")


class _Replace(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self.new if node is self.old else self.generic_visit(node)


Change = tuple[str, Callable[[ast.AST], ast.AST]]
ARITHMETIC = {
    ast.Add: [ast.Sub],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.Div, ast.Add],
    ast.Div: [ast.Mult],
}
FLIPS = {
    ast.Lt: ast.Gt,
    ast.Gt: ast.Lt,
    ast.LtE: ast.GtE,
    ast.GtE: ast.LtE,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}


def changes(node: ast.AST) -> Iterator[Change]:
    """What can be done to this node; each change gets a copy of it."""
    if isinstance(node, ast.BinOp):
        for other in ARITHMETIC.get(type(node.op), []):
            yield f"with {other.__name__}", _set(op=other())
        yield "without its right side", lambda n: n.left
        yield "without its left side", lambda n: n.right
        if isinstance(node.op, ast.Sub | ast.Div | ast.MatMult):
            yield "swapped", lambda n: ast.BinOp(n.right, n.op, n.left)
    if isinstance(node, ast.Assign | ast.AugAssign):
        yield "left out", lambda n: ast.Pass()
    if isinstance(node, ast.AugAssign):
        yield "assigned", lambda n: ast.Assign([n.target], n.value)
        if isinstance(node.op, ast.Add):
            yield "subtracted", _set(op=ast.Sub())
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        for more in (1, -1):
            yield f"{more:+}", lambda n, more=more: ast.Constant(n.value + more)
    if isinstance(node, ast.UnaryOp):
        yield "without its sign", lambda n: n.operand
    if isinstance(node, ast.Compare) and type(node.ops[0]) in FLIPS:
        if isinstance(node.ops[0], ast.Lt | ast.Gt):
            more = ast.LtE if isinstance(node.ops[0], ast.Lt) else ast.GtE
            yield "or equal", _set(ops=[more()])
        yield "flipped", lambda n: ast.Compare(n.left, [FLIPS[type(n.ops[0])]()], n.comparators)
    if isinstance(node, ast.BoolOp):
        other = ast.And if isinstance(node.op, ast.Or) else ast.Or
        yield f"with {other.__name__}", _set(op=other())
        yield "first part only", lambda n: n.values[0]
        yield "last part only", lambda n: n.values[-1]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        yield "with BitAnd", _set(op=ast.BitAnd())
    if isinstance(node, ast.IfExp):
        yield "always its body", lambda n: n.body
        yield "always its else", lambda n: n.orelse
    if isinstance(node, ast.If):
        yield "never", lambda n: ast.If(ast.Constant(False), n.body, n.orelse)
        yield "always", lambda n: ast.If(ast.Constant(True), n.body, n.orelse)
    if isinstance(node, ast.Call):
        called = ast.unparse(node.func)
        if called == "reversed":
            yield "forwards", lambda n: n.args[0]
        if called == "range":
            yield "one less", lambda n: _minus_one(n)
            yield "from 1", lambda n: ast.Call(n.func, [ast.Constant(1), *n.args], [])
        if called == "np.where":
            yield "always its first", lambda n: n.args[1]
            yield "always its second", lambda n: n.args[2]
        if called in ("np.exp", "np.mean", "np.sum", "np.log"):
            yield "left out", lambda n: n.args[0]
        if called in ("np.minimum", "np.maximum", "np.clip"):
            yield "its first only", lambda n: n.args[0]
            yield "its second only", lambda n: n.args[1]
        if called in ("np.minimum", "np.maximum"):
            other = "maximum" if called == "np.minimum" else "minimum"
            yield (
                f"as {other}",
                lambda n, o=other: ast.Call(ast.Attribute(n.func.value, o), n.args, []),
            )
        for i in range(len(node.args) - 1):
            yield f"arguments {i} and {i + 1} swapped", lambda n, i=i: _swapped(n, i)
        if called.endswith((".mean", ".max", ".sum")):
            for other in {"mean": ("sum",), "sum": ("mean", "max"), "max": ("min", "sum")}[
                called.rpartition(".")[2]
            ]:
                yield (
                    f"as {other}",
                    lambda n, o=other: ast.Call(ast.Attribute(n.func.value, o), n.args, []),
                )
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        for other in {
            "gamma": ("1.0", "gae_lambda"),
            "gae_lambda": ("1.0", "gamma"),
            "values": ("next_values",),
            "next_values": ("values",),
            "terminated": ("truncated",),
            "truncated": ("terminated",),
            "log_probs": ("old_log_probs",),
            "old_log_probs": ("log_probs",),
            "obs": ("next_obs",),
            "next_obs": ("obs",),
            "returns": ("rewards",),
        }.get(node.id, ()):
            yield f"is {other}", lambda n, o=other: ast.parse(o, mode="eval").body
    if isinstance(node, ast.Return):
        yield "negative", lambda n: ast.Return(ast.UnaryOp(ast.USub(), n.value))
        yield "left out", lambda n: ast.Pass()
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Name):
        for sign, op in (("+", ast.Add()), ("−", ast.Sub())):
            yield (
                f"one {sign}",
                lambda n, op=op: ast.Subscript(
                    n.value, ast.BinOp(n.slice, op, ast.Constant(1)), n.ctx
                ),
            )


def _set(**fields: ast.AST) -> Callable[[ast.AST], ast.AST]:
    def change(node: ast.AST) -> ast.AST:
        twin = copy.copy(node)
        for name, value in fields.items():
            setattr(twin, name, value)
        return twin

    return change


def _minus_one(call: ast.Call) -> ast.Call:
    last = ast.BinOp(call.args[-1], ast.Sub(), ast.Constant(1))
    return ast.Call(call.func, [*call.args[:-1], last], [])


def _swapped(call: ast.Call, i: int) -> ast.Call:
    arguments = list(call.args)
    arguments[i], arguments[i + 1] = arguments[i + 1], arguments[i]
    return ast.Call(call.func, arguments, call.keywords)


def main() -> None:
    """The table: exercise × mutants refused × what the learner is told."""
    print(
        "| exercise | mutants | refused | a known mistake | an identity | no answer | not refused |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|")
    survivors = []
    told: Counter[tuple[str, str]] = Counter()
    for name in NAMES:
        found = exercise(name)
        kinds: Counter[str] = Counter()
        for mutant in mutants(found):
            report = report_of(found, mutant.source, list(found.checks[:-1]))
            kind = what_was_said(report)
            kinds[kind] += 1
            if report.passed:
                survivors.append((name, mutant.name))
            else:
                told[name, told_by(report)] += 1
        counts = [kinds[kind] for kind in ("mistake", "identity", "no answer", "passed")]
        print(
            f"| {name} | {sum(counts)} | {sum(counts[:3])} | " + " | ".join(map(str, counts)) + " |"
        )
    for survivor in survivors:
        print("not refused:", survivor, "–", EQUIVALENT.get(survivor, "WHY?"))
    for (name, sentence), number in told.items():
        print(f"{name:13} {number:3} × {sentence}")


def told_by(report: Report) -> str:
    """The known mistake, or the identity that fails first."""
    failed = next(result.title for result in report.results if result.passed is False)
    return f"mistake: {report.mistake}" if report.mistake else f"identity: {failed}"


def what_was_said(report: Report) -> str:
    """passed, mistake, identity, or no answer: it raised, or its answer was no such array."""
    if report.passed:
        return "passed"
    if report.mistake:
        return "mistake"
    asked = [result for result in report.results[:2] if result.passed is False]
    return "no answer" if asked else "identity"


if __name__ == "__main__":
    main()
