"""A stand-in for the product: the page and the commands that the start of an instance needs, and nothing else."""

import click
from flask import Flask
from flask.cli import AppGroup
from notes import note

app = Flask(__name__)
staff = AppGroup("staff")
demo = AppGroup("demo")


@app.get("/healthz")
def show_health():
    return "alive"


@app.cli.command("migrate")
def migrate():
    note("migrate")


@staff.command("ensure-first-admin")
def ensure_first_admin():
    note("first-admin")
    click.echo("http://admin.localhost/first-link")


@demo.command("server")
def follow_server():
    note("annex")


@demo.command("seed")
def seed_demo():
    note("demo")
    click.echo("sign in as bob@acme.example")


app.cli.add_command(staff)
app.cli.add_command(demo)
