import ast
import inspect
import re
from pathlib import Path

from odoo.tests import TransactionCase, tagged

GUIDE = Path(__file__).parents[2] / "docs/developers-guide.md"
MODELS = [
    *("crm.lead", "crm.opportunity.line", "sale.order"),
    *("sale.credit.exposure", "sales.consistency", "crm.funnel.report"),
]


@tagged("post_install", "-at_install")
class TestDevelopersGuide(TransactionCase):
    """What the guide says is to be extended is there, and is called as the guide calls it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.text = GUIDE.read_text(encoding="utf8")

    def test_examples(self):
        examples = 0
        for block in re.findall(r"```python\n(.*?)```", self.text, re.DOTALL):
            for cls in ast.parse(block).body:
                (model,) = (node.value.value for node in cls.body if isinstance(node, ast.Assign))
                for method in (node for node in cls.body if isinstance(node, ast.FunctionDef)):
                    with self.subTest(f"{model}.{method.name}"):
                        extended = inspect.signature(getattr(self.env.registry[model], method.name))
                        self.assertEqual([arg.arg for arg in method.args.args], list(extended.parameters))
                        examples += 1
        self.assertGreater(examples, 5)

    def test_names(self):
        """Methods named in running text, files named in tables."""
        prose = re.sub(r"```.*?```", "", self.text, flags=re.DOTALL)
        known = {name for model in MODELS for name in dir(self.env.registry[model])}
        for name in set(re.findall(r"`(?:[a-z.]+\.)?(_?[a-z_]+)\([a-z_, ]*\)`", prose)) - {"super", "write"}:
            with self.subTest(name):
                self.assertIn(name, known)
        for name in re.findall(r"`((?:crm|sale)_[a-z_]+)`", prose):
            with self.subTest(name):
                self.assertTrue((Path(__file__).parents[1] / f"models/{name}.py").exists())
