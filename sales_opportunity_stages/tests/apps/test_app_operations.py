from ...models.quotation.app_operations import RUNNERS
from .common import AppsCase


class TestAppOperations(AppsCase):
    """What other applications do is wrapped outside all of their overrides."""

    def test_each_operation_is_wrapped_where_it_is_installed(self):
        wrapped = set()
        for model, operations in self.env["sales.app.operations"]._get_app_operations().items():
            for name, how in operations.items():
                self.assertIn(how, RUNNERS)
                cls = self.registry.get(model)
                if cls is not None and hasattr(cls, name):
                    self.assertTrue(vars(cls)[name].wraps_operation, f"{model}.{name}")
                    wrapped.add((model, name))
        for operation in (
            ("sale.order", "action_confirm"),
            ("sale.order", "_update_programs_and_rewards"),
            ("sale.order", "set_delivery_line"),
            ("sale.order", "_cart_add"),
            ("account.move.line", "_sale_create_reinvoice_sale_line"),
            ("stock.picking", "_action_done"),
            ("stock.picking", "_add_delivery_cost_to_so"),
            ("pos.order", "sync_from_ui"),
        ):
            self.assertIn(operation, wrapped)

    def test_the_wrapper_is_the_outermost(self):
        cls = self.registry["sale.order"]
        self.assertEqual(cls.action_confirm.__wrapped__.__qualname__.split(".")[-1], "action_confirm")
        self.assertTrue(cls.__mro__[0] is cls)
        self.assertIn("action_confirm", vars(cls))

    def test_setting_models_up_again(self):
        """Removing the wrappers and wrapping again, as Odoo does when it sets up its registry, changes nothing."""
        cls, Operations = self.registry["sale.order"], self.env["sales.app.operations"]
        Operations._unregister_hook()
        self.assertNotIn("action_confirm", vars(cls))
        Operations._register_hook()
        Operations._register_hook()
        self.assertFalse(hasattr(cls.action_confirm.__wrapped__, "wraps_operation"))
