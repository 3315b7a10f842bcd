import hashlib

from odoo import api, fields, models
from odoo.tools import SQL, split_every

BATCH = 5000
NOT_SEALED = {"id", "write_uid", "write_date", "message_main_attachment_id"}


class SalesLedgerSeal(models.Model):
    """A seal on the rows that a ledger got since the seal before: each one covers the one before it.

    Every night the rows of each sealed ledger are read, and a digest of each row is written into a seal, whose own
    digest is over these digests and over the digest of the seal before. Who changes or removes a row, or a seal,
    breaks the chain from there on. Changes that the system itself makes to sealed rows, such as the decision on a
    request, are noted as amendments and sealed in the next night.

    Nothing of it happens while an order is confirmed.
    """

    _name = "sales.ledger.seal"
    _description = "Ledger Seal"
    _inherit = ["sales.ledger.mixin"]
    _order = "id desc"
    _rec_name = "model"
    _log_access = False

    model = fields.Char(required=True, readonly=True, index=True)
    last_id = fields.Integer("Last Row", required=True, readonly=True)
    digest = fields.Char(required=True, readonly=True)
    previous_id = fields.Many2one("sales.ledger.seal", "Seal Before", readonly=True, ondelete="restrict", index=True)
    date = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    field_names = fields.Char("Fields", readonly=True, help="The fields that the digests of the rows are over.")
    content = fields.Text(
        readonly=True, prefetch=False, help="A line for each row: its id and its digest, or - where it was removed."
    )

    # ------------------------------------------------------------
    # Sealing
    # ------------------------------------------------------------

    @api.model
    def _get_sealed_models(self):
        """Return the names of the ledgers that are sealed, in a fixed order.

        Those that say so themselves (``_is_sealed``), and the steps of approvals.
        """
        return sorted(
            name
            for name, model in self.env.registry.items()
            if not model._abstract
            and issubclass(model, self.env.registry["sales.ledger.mixin"])
            and self.env[name]._is_sealed_ledger()
        )

    @api.model
    def _cron_seal(self):
        """Seal what each ledger got since the last night."""
        for model in self._get_sealed_models():
            self._seal(model)

    @api.model
    def _seal(self, model):
        """Seal the new rows of one ledger, and what was amended of older ones.

        :returns: the seal; none where nothing is new
        """
        self.env.flush_all()
        known, names = self._get_last(model), self._get_sealed_fields(model)
        rows = self._read_digests(model, names, known)
        # sudo: the system seals
        Amendment = self.env["sales.ledger.amendment"]._as_ledger()
        amendments = Amendment.search([("model", "=", model), ("res_id", "<=", known.last_id)], order="id")
        content = [f"{id_} {digest}" for id_, digest in rows]
        content += [f"{amendment.res_id} {amendment.digest or '-'}" for amendment in amendments]
        if not content:
            return known.browse()
        values = {
            "model": model,
            "last_id": max([known.last_id, *(id_ for id_, _digest in rows)]),
            "field_names": ",".join(names),
            "content": "\n".join(content),
            "date": fields.Datetime.now().replace(microsecond=0),
        }
        previous = self._as_ledger().search([], limit=1)
        digest = self._get_digest(previous.digest, **values)
        amendments.unlink()
        return self._as_ledger().create({**values, "previous_id": previous.id, "digest": digest}).with_env(self.env)

    @api.model
    def _get_last(self, model):
        """Return the last seal of a ledger, none before the first one."""
        # sudo: seals are an administrator's to read, and the system's to write
        return self.sudo().search([("model", "=", model)], limit=1)

    @api.model
    def _get_sealed_fields(self, model):
        """Return the names of the fields of a ledger that a digest is over: all that its table has, but links that the
        database clears when their record is deleted."""
        return sorted(
            name
            for name, field in self.env[model]._fields.items()
            if field.store and field.column_type and name not in NOT_SEALED and not self._is_cleared(field)
        )

    @api.model
    def _is_cleared(self, field):
        return field.type == "many2one" and field.ondelete == "set null" and field.comodel_name != "res.users"

    @api.model
    def _read_digests(self, model, names, known):
        """Return ``(id, digest)`` of the rows after a seal. Rows that were committed late, with an id that the last
        seal had passed already, are among them."""
        late = set()
        if known:
            before = self.sudo().search([("model", "=", model), ("id", "<", known.id)], limit=1)  # sudo: as _get_last
            sealed = {int(line.split()[0]) for line in (known.content or "").splitlines()}
            ids = self._search_ids(model, SQL("id > %s AND id <= %s", before.last_id, known.last_id))
            late = set(ids) - sealed - self._get_amended(model)
        condition = SQL("id > %s OR id = ANY(%s)", known.last_id, sorted(late))
        return self._select_digests(model, names, condition)

    @api.model
    def _get_amended(self, model):
        # sudo: as _get_last
        return set(self.env["sales.ledger.amendment"].sudo().search([("model", "=", model)]).mapped("res_id"))

    @api.model
    def _search_ids(self, model, condition):
        table = SQL.identifier(self.env[model]._table)
        return [id_ for (id_,) in self.env.execute_query(SQL("SELECT id FROM %s WHERE %s", table, condition))]

    @api.model
    def _select_digests(self, model, names, condition):
        """Return ``(id, digest of the named fields)`` of the rows of a ledger, as they are in the database."""
        return self.env.execute_query(
            SQL(
                """
                SELECT id, ENCODE(SUBSTRING(SHA256(CONVERT_TO(
                           (SELECT JSONB_OBJECT_AGG(key, value) FROM JSONB_EACH(TO_JSONB(row))
                             WHERE key = ANY(%(names)s))::text, 'UTF8')) FOR 16), 'hex')
                  FROM %(table)s row
                 WHERE %(condition)s
                 ORDER BY id
                """,
                names=list(names),
                table=SQL.identifier(self.env[model]._table),
                condition=condition,
            )
        )

    @api.model
    def _get_digest(self, previous, model, last_id, field_names, content, date):
        """Return the digest of a seal with these values, which follows one with the digest ``previous``."""
        text = "\n".join([previous or "", model, str(last_id), field_names or "", str(date), content or ""])
        return hashlib.sha256(text.encode()).hexdigest()

    # ------------------------------------------------------------
    # What the system changes itself
    # ------------------------------------------------------------

    @api.model
    def _note_amended(self, records, removed=False):
        """Note that the system has changed, or is going to remove, rows of a ledger that may be sealed already.

        :param records: rows of one sealed ledger
        """
        known = self._get_last(records._name)
        ids = [id_ for id_ in records.ids if id_ <= known.last_id]
        if not ids:
            return
        if removed:
            digests = [(id_, None) for id_ in ids]
        else:
            records.flush_recordset()
            names = self._get_sealed_fields(records._name)
            digests = self._select_digests(records._name, names, SQL("id = ANY(%s)", ids))
        self.env["sales.ledger.amendment"]._as_ledger().create(
            [{"model": records._name, "res_id": id_, "digest": digest} for id_, digest in digests]
        )

    @api.model
    def _remove_with(self, records):
        """Remove the rows of sealed ledgers that the database would remove together with some records."""
        for model in self._get_sealed_models():
            # sudo: rows of others go along with the record as well
            Ledger = self.env[model]._as_ledger()
            for name, field in Ledger._fields.items():
                is_link = field.store and field.type == "many2one" and field.comodel_name == records._name
                if is_link and field.ondelete == "cascade":
                    Ledger.search([(name, "in", records.ids)]).unlink()

    @api.model
    def _get_rows_of(self, records):
        """Return the rows of each sealed ledger that point to one of these records."""
        found = []
        for model in self._get_sealed_models():
            # sudo: rows of others count as well
            Ledger = self.env[model]._as_ledger()
            names = [
                name
                for name, field in Ledger._fields.items()
                if field.store and field.type == "many2one" and field.comodel_name == records._name
            ]
            found += [Ledger.search([(name, "in", records.ids)]).with_env(self.env) for name in names]
        return [rows.sudo() for rows in found if rows]  # sudo: as above

    # ------------------------------------------------------------
    # Verifying
    # ------------------------------------------------------------

    @api.model
    def _find_broken(self):
        """Yield (sentence, model, id): the first seal that does not fit, and the first row of each ledger that is not
        as it was sealed. It reads what is stored."""
        previous, seals = (
            None,
            self.sudo().search([("id", ">", 0)], order="id"),
        )  # sudo: an administrator's check, a private method
        for seal in seals:
            values = {name: seal[name] for name in ("model", "last_id", "field_names", "content", "date")}
            expected = self._get_digest(previous.digest if previous else None, **values)
            if seal.previous_id != (previous or seal.browse()) or seal.digest != expected:
                yield "is not as it was made, or the seal before it is missing", self._name, seal.id
                break
            previous = seal
        for model, of_model in seals.grouped("model").items():
            if model in self.env:
                yield from self._find_broken_rows(model, of_model)

    @api.model
    def _find_broken_rows(self, model, seals):
        """Yield the first row of a ledger that was changed or removed since it was sealed."""
        expected = {}
        for seal in seals:
            for line in (seal.content or "").splitlines():
                id_, digest = line.split()
                expected[int(id_)] = digest, seal.field_names
        # sudo: as _find_broken
        for amendment in self.env["sales.ledger.amendment"].sudo().search([("model", "=", model)], order="id"):
            names = ",".join(self._get_sealed_fields(model))
            expected[amendment.res_id] = amendment.digest or "-", names
        for ids in split_every(BATCH, sorted(expected)):
            found = {}
            for names in {expected[id_][1] for id_ in ids}:
                of_names = [id_ for id_ in ids if expected[id_][1] == names]
                found |= dict(self._select_digests(model, names.split(","), SQL("id = ANY(%s)", of_names)))
            for id_ in ids:
                digest = expected[id_][0]
                if found.get(id_, "-") != digest:
                    is_removed = id_ not in found
                    yield (
                        "was removed after it was sealed" if is_removed else "was changed after it was sealed",
                        model,
                        id_,
                    )
                    return
        unknown = set(self._search_ids(model, SQL("id <= %s", seals[-1:].last_id))) - expected.keys()
        before = seals[-2:-1].last_id
        if added := sorted(id_ for id_ in unknown if id_ <= before):
            yield "was added among rows that were sealed", model, added[0]


class SalesLedgerAmendment(models.Model):
    """A row of a ledger that the system has changed or removed since it was sealed: the next seal covers it."""

    _name = "sales.ledger.amendment"
    _description = "Ledger Amendment"
    _inherit = ["sales.ledger.mixin"]
    _order = "id"
    _rec_name = "model"
    _log_access = False

    model = fields.Char(required=True, readonly=True, index=True)
    res_id = fields.Integer("Row", required=True, readonly=True)
    digest = fields.Char(readonly=True, help="Digest of the row since then. Blank: it was removed.")
