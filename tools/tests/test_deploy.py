"""The files of deploy/ agree with each other. They are read here; only Docker can start them."""

import configparser
import re
import subprocess
import unittest

import yaml

from tools import layout

FOLDER = layout.ROOT / "deploy"


class TestDeploy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.compose = yaml.safe_load((FOLDER / "compose.yaml").read_text())
        cls.services = cls.compose["services"]
        cls.nginx = (FOLDER / "nginx.conf").read_text()

    def test_mounted_files_exist(self):
        volumes = [volume.split(":")[0] for service in self.services.values() for volume in service.get("volumes", [])]
        files = {volume for volume in volumes if volume.startswith(".")}
        self.assertIn("./odoo.conf", files)
        for name in files:
            self.assertTrue((FOLDER / name).exists(), name)
        self.assertEqual(set(volumes) - files, set(self.compose["volumes"]))

    def test_nginx_knows_every_server(self):
        """Both servers answer requests and websockets, on the ports that Odoo listens on."""
        servers = {name for name in self.services if name.startswith("odoo-")}
        options = configparser.ConfigParser()
        options.read(FOLDER / "odoo.conf")
        ports = {"8069", options["options"]["gevent_port"]}
        named = set(re.findall(r"server (\S+):(\d+)", self.nginx))
        self.assertEqual(named, {(server, port) for server in servers for port in ports})
        for server in servers:
            self.assertEqual(set(self.services[server]["expose"]), ports)

    def test_one_server_runs_scheduled_actions(self):
        idle = [name for name, service in self.services.items() if "--max-cron-threads=0" in service.get("command", "")]
        self.assertEqual(idle, ["odoo-2"])

    def test_servers_that_are_waited_for_have_a_health_check(self):
        for name, service in self.services.items():
            for other in service.get("depends_on", {}):
                with self.subTest(f"{name} waits for {other}"):
                    self.assertIn("healthcheck", self.services[other])

    def test_both_servers_read_from_the_replica(self):
        for name in ("odoo-1", "odoo-2"):
            self.assertIn("--db_replica_host=replica", self.services[name]["command"])

    def test_scripts(self):
        for script in FOLDER.glob("*.sh"):
            self.assertFalse(subprocess.run(["sh", "-n", script]).returncode, script.name)
            self.assertTrue(script.stat().st_mode & 0o100, script.name)


class TestWorkflow(unittest.TestCase):
    def test_runs_what_a_developer_runs(self):
        workflow = yaml.safe_load((layout.ROOT / ".github/workflows/ci.yml").read_text())
        steps = workflow["jobs"]["test"]["steps"]
        self.assertIn(".ci/run", [step.get("run") for step in steps])
