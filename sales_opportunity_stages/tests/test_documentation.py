import ast
import inspect
import re
from pathlib import Path

from odoo.modules import Manifest
from odoo.tests import TransactionCase, tagged

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs/developers-guide.md"
MODELS = [
    *("crm.lead", "crm.opportunity.line", "sale.order"),
    *("sale.credit.exposure", "sales.consistency", "crm.funnel.report", "sales.app.operations"),
    *("crm.snapshot.report", "sale.approval.rule"),
    "crm.stage.history.report.mixin",
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
                named = {node.value for node in ast.walk(cls) if isinstance(node, ast.Constant)}  # rows of a list
                for method in (n for n in cls.body if isinstance(n, ast.FunctionDef) and n.name not in named):
                    with self.subTest(f"{model}.{method.name}"):
                        extended = inspect.signature(getattr(self.env.registry[model], method.name))
                        self.assertEqual([arg.arg for arg in method.args.args], list(extended.parameters))
                        examples += 1
        self.assertGreater(examples, 5)

    def test_names(self):
        """Methods named in running text, files named in tables; modules of Odoo are called alike."""
        prose = re.sub(r"```.*?```", "", self.text, flags=re.DOTALL)
        known = {name for model in MODELS for name in dir(self.env.registry[model])}
        for name in set(re.findall(r"`(?:[a-z.]+\.)?(_?[a-z_]+)\([a-z_, ]*\)`", prose)) - {"super", "write"}:
            with self.subTest(name):
                self.assertIn(name, known)
        for name in re.findall(r"`((?:crm|sale)_[a-z_]+)`", prose):
            with self.subTest(name):
                is_file = any((Path(__file__).parents[1] / "models").glob(f"*/{name}.py"))
                self.assertTrue(is_file or Manifest.for_addon(name, display_warning=False))


@tagged("post_install", "-at_install")
class TestPages(TransactionCase):
    """What is shown to readers: pictures and pages that are linked exist, and no picture is left over."""

    def test_links(self):
        for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("*/static/description/index.html")]:
            text = page.read_text(encoding="utf8")
            for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)|src=\"([^\"]+)\"", text):
                name = "".join(target)
                with self.subTest(page=page.name, target=name):
                    self.assertTrue(name.startswith("http") or (page.parent / name).exists())

    def test_pictures(self):
        texts = "".join(page.read_text(encoding="utf8") for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
        for picture in ROOT.glob("docs/images/*"):
            self.assertTrue(f"images/{picture.name})" in texts, f"{picture.name} is shown nowhere")
        script = (ROOT / "tools/take_screenshots.py").read_text(encoding="utf8")
        for picture in ROOT.glob("docs/images/*.png"):
            self.assertIn(f'"{picture.stem}": (', script)

    def test_every_module_presents_itself(self):
        for manifest in ROOT.glob("sales_opportunity_stages*/__manifest__.py"):
            with self.subTest(manifest.parent.name):
                icon = (manifest.parent / "static/description/icon.png").read_bytes()
                self.assertEqual((icon[:4], int.from_bytes(icon[16:20], "big")), (b"\x89PNG", 256))
                self.assertTrue((manifest.parent / "static/description/index.html").exists())
                for name in ("README.md", "LICENSE", "pyproject.toml"):  # the wheel holds them
                    self.assertTrue((manifest.parent / name).exists(), name)

    def test_store_shows_the_same_pictures(self):
        for picture in Path(__file__).parents[1].glob("static/description/*.png"):
            if picture.stem != "icon":
                with self.subTest(picture.name):
                    self.assertEqual(picture.read_bytes(), (ROOT / "docs/images" / picture.name).read_bytes())
