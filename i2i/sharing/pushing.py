"""To the hub: one commit with all of a parcel, so that nobody ever sees half of it."""

from i2i import __version__
from i2i.errors import ModelFileError, SettingsError
from i2i.hub import library, reaching
from i2i.sharing.parcel import Parcel


def push(parcel: Parcel, *, private: bool = False) -> str:
    """Send a parcel, to a model that is made where there is none; the address of its page.

    Raises SettingsError where nobody is logged in or huggingface-hub is not installed, ModelFileError where the hub
    refuses or cannot be reached, or where `private` is asked of a model that others can see already.
    """
    name = parcel.name
    api = library(name)
    from huggingface_hub import CommitOperationAdd, get_token

    if get_token() is None:
        raise SettingsError(f"{name}: you are not logged in. Log in with: hf auth login (or set HF_TOKEN).")
    operations = [
        CommitOperationAdd(file, content if isinstance(content, bytes) else str(content))
        for file, content in parcel.files.items()
    ]
    with reaching(name):
        # None: as an organisation has it by default.
        place = api.create_repo(name.repository, private=private or None, exist_ok=True)
        if private and not api.model_info(name.repository).private:
            raise ModelFileError(
                f"{name}: is there already, and everybody can see it, so nothing was sent. Make it private at "
                f"{place}/settings, or leave --private away."
            )
        try:
            api.create_commit(name.repository, operations, commit_message=f"Share a translator (i2i {__version__})")
        except ValueError as error:
            raise SettingsError(
                f"{name}: the card is refused ({' '.join(str(error).split())}). --license wants a name that the hub "
                f"knows, as apache-2.0, cc-by-4.0 or other."
            ) from None
        except RuntimeError as error:  # as an upload breaks off
            reason = " ".join(str(error.__cause__ or error).split())[:200]
            raise ModelFileError(f"{name}: the upload broke off ({reason}). The same command begins again.") from None
    return str(place)
