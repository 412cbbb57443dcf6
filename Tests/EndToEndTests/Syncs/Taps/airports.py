"""A tap on singer-sdk: the rows of a CSV file, all of them at each run, with the version of the whole."""
import csv

from singer_sdk import Stream, Tap
from singer_sdk import typing as th


class Airports(Stream):
    name = "airports"
    primary_keys = ("icao",)
    replication_key = None

    @property
    def schema(self):
        with open(self.config["csv"], newline="", encoding="utf-8") as file:
            header = next(csv.reader(file))
        return th.PropertiesList(*(th.Property(name, th.StringType) for name in header)).to_dict()

    def get_records(self, context):
        with open(self.config["csv"], newline="", encoding="utf-8") as file:
            yield from csv.DictReader(file)


class TapAirports(Tap):
    name = "tap-airports"
    config_jsonschema = th.PropertiesList(th.Property("csv", th.StringType, required=True)).to_dict()

    def discover_streams(self):
        return [Airports(self)]


TapAirports.cli()
