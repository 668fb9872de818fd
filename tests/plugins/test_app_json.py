"""What plugins learn of an app.json."""

import json


def test_plugins_ask_for_the_deployed_content(dokku, plugn):
    dokku.make_app("blog")
    place = dokku.lib / "data/app-json/blog"
    place.mkdir(parents=True)
    (place / "app.json").write_text('{"formation": {"web": {"max_parallel": 4}},} // mine')
    assert json.loads(plugn("trigger", "app-json-get-content", "blog").out) == {
        "formation": {"web": {"max_parallel": 4}}
    }
    assert plugn("trigger", "app-json-process-deploy-parallelism", "blog", "web").out == "4\n"
    assert plugn("trigger", "app-json-process-deploy-parallelism", "blog", "worker").out == "1\n"
    assert plugn("trigger", "app-json-is-valid", "blog", str(place / "app.json")).code == 0
    (place / "app.json").write_text('{"cron": [{}]}')
    broken = plugn("trigger", "app-json-is-valid", "blog", str(place / "app.json"))
    assert broken == ("", " !     Cannot parse app.json: line 1: cron[0].command is missing\n", 1)
