"""Roles come from the environment whole, by half with a clear error, or not at all; keys show nowhere."""

import pytest

from lib.llm.connection import find_role
from lib.llm.roles import Role, environment, resolve_role
from lib.llm.usage import read_prices
from lib.run import BadInput
from lib.run.endpoints import role_variables

CANARY = "sk-canary-7d1f"
SET = {
    "TEACHER_OPENAI_BASE_URL": "https://host/v1/",
    "TEACHER_OPENAI_DEPLOYMENT": "big",
    "TEACHER_OPENAI_API_KEY": CANARY,
}


def test_an_unset_role_is_none():
    assert resolve_role("teacher", {}) is None


def test_a_role_is_read_whole():
    role = resolve_role("teacher", SET)
    assert (role.base_url, role.model, role.api_key, role.identity) == (
        "https://host/v1",
        "big",
        CANARY,
        "big@https://host/v1",
    )


def test_the_key_never_shows():
    assert CANARY not in repr(resolve_role("teacher", SET)) + str(resolve_role("teacher", SET))


def test_a_server_without_a_key_is_fine():
    assert resolve_role("teacher", {k: v for k, v in SET.items() if "KEY" not in k}).api_key == ""


@pytest.mark.parametrize("missing", ["TEACHER_OPENAI_BASE_URL", "TEACHER_OPENAI_DEPLOYMENT"])
def test_a_role_set_by_half_names_what_is_missing(missing):
    with pytest.raises(BadInput, match=missing) as error:
        resolve_role("teacher", {k: v for k, v in SET.items() if k != missing})
    assert CANARY not in str(error.value)


def test_azure_needs_its_version():
    azure = {
        "JUDGE_AZURE_OPENAI_ENDPOINT": "https://a.example",
        "JUDGE_AZURE_OPENAI_API_KEY": "k",
        "JUDGE_AZURE_OPENAI_DEPLOYMENT": "d",
    }
    with pytest.raises(BadInput, match="JUDGE_OPENAI_API_VERSION"):
        resolve_role("judge", azure)
    role = resolve_role("judge", azure | {"JUDGE_OPENAI_API_VERSION": "2025-01-01"})
    assert role.azure and role.api_version == "2025-01-01"


def test_both_kinds_at_once_are_an_error():
    with pytest.raises(BadInput, match="keep either"):
        resolve_role("teacher", SET | {"TEACHER_AZURE_OPENAI_ENDPOINT": "https://a.example"})


def test_the_old_names_are_aliases_and_the_role_name_goes_before():
    old = {k.replace("TEACHER", "COMPLETION"): v for k, v in SET.items()}
    assert resolve_role("teacher", old).model == "big"
    assert resolve_role("teacher", old | SET | {"TEACHER_OPENAI_DEPLOYMENT": "new"}).model == "new"
    embedding = {"EMBEDDING_OPENAI_BASE_URL": "http://h/v1", "EMBEDDING_OPENAI_DEPLOYMENT": "e"}
    assert resolve_role("embedder", embedding).model == "e"


@pytest.mark.parametrize(
    "url", [f"https://user:{CANARY}@host/v1", f"https://host/v1?key={CANARY}", "host/v1", "ftp://host"]
)
def test_an_address_with_a_secret_or_without_a_scheme_is_refused_without_repeating_it(url):
    with pytest.raises(BadInput) as error:
        Role("teacher", url, "m")
    assert CANARY not in str(error.value)


@pytest.mark.parametrize("url", ["http://localhost:PORT/v1", "http://host:99999/v1", "http://[::1/v1"])
def test_an_address_that_cannot_be_one_is_refused_in_one_line(url):
    with pytest.raises(BadInput, match="expected an address such as"):
        Role("teacher", url, "m")


def test_the_env_file_is_read_and_the_environment_goes_before(tmp_path, monkeypatch):
    path = tmp_path / ".env"
    path.write_text("# comment\nexport A_ONE='1 # kept'\nA_TWO = 2 # dropped\n#A_THREE=3\nA_FOUR=\nnot a line\n")
    monkeypatch.setenv("A_TWO", "22")
    found = environment(path)
    assert found["A_ONE"] == "1 # kept" and found["A_TWO"] == "22" and found["A_FOUR"] == "" and "A_THREE" not in found


def test_the_first_line_of_an_env_file_counts_whatever_editor_wrote_it(tmp_path):
    (tmp_path / ".env").write_text("TEACHER_OPENAI_DEPLOYMENT=m\n", encoding="utf-8-sig")
    assert environment(tmp_path / ".env")["TEACHER_OPENAI_DEPLOYMENT"] == "m"
    assert role_variables("1_gen", tmp_path, {})["TEACHER_OPENAI_DEPLOYMENT"] == "m"


def test_an_unset_judge_is_the_teacher_with_a_warning(monkeypatch, run):
    for name, value in SET.items():
        monkeypatch.setenv(name, value)
    judge = find_role("judge", run)
    assert (judge.name, judge.model) == ("judge", "big")
    assert "teacher" in run.recorded[0]["warnings"]["judge"] and CANARY not in str(run.recorded)


def test_prices_are_two_numbers():
    assert resolve_role("teacher", SET | {"TEACHER_PRICE_USD_PER_MTOKENS": "2.5, 10"}).price == (2.5, 10.0)
    with pytest.raises(BadInput, match="two numbers"):
        resolve_role("teacher", SET | {"TEACHER_PRICE_USD_PER_MTOKENS": "cheap"})


def test_what_the_command_compares_and_what_the_rooms_use_is_one_reading_of_the_file(tmp_path, monkeypatch):
    monkeypatch.delenv("TEACHER_OPENAI_DEPLOYMENT", raising=False)
    (tmp_path / ".env").write_text("export TEACHER_OPENAI_DEPLOYMENT='big # one' # the large one\n", encoding="utf-8")
    name = "TEACHER_OPENAI_DEPLOYMENT"
    assert role_variables("1_gen", tmp_path, {})[name] == environment(tmp_path / ".env")[name] == "big # one"


@pytest.mark.parametrize(("variable", "text"), [("RPM", "nan"), ("RPM", "inf"), ("TIMEOUT_S", "inf"), ("PRICE_USD_PER_MTOKENS", "nan 1"), ("PRICE_USD_PER_MTOKENS", "1 -1")])
def test_a_quota_or_price_that_is_no_number_of_any_use_is_named(variable, text):
    with pytest.raises(BadInput, match=f"TEACHER_{variable}: expected"):
        resolve_role("teacher", {"TEACHER_OPENAI_BASE_URL": "http://h/v1", "TEACHER_OPENAI_DEPLOYMENT": "m", f"TEACHER_{variable}": text})


@pytest.mark.parametrize("factor", ["half", "[0.5]", ".nan", "-1", ""])
def test_a_share_for_batches_in_a_price_list_that_is_no_number_is_named(factor, tmp_path):
    (tmp_path / "prices.yaml").write_text(f"batch_factor: {factor}\nmodels: {{m: [1, 1]}}\n")
    with pytest.raises(BadInput, match="batch_factor: expected the share"):
        read_prices(tmp_path / "prices.yaml")
