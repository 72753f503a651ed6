"""What is written when the ways into somebody's account are others."""

from collections.abc import Callable
from typing import Any, assert_never

from application.mail.letters import (
    AddressChanged,
    AddressTaken,
    ConfirmAddress,
    PasskeyAdded,
    PasskeyRemoved,
    SecondFactorChanged,
)
from application.mail.message import Button

Text = Callable[[str], str]


def confirm_address(letter: ConfirmAddress, _: Text, *, once: str) -> dict[str, Any]:
    return {
        "subject": _("Confirm your new e-mail address"),
        "paragraphs": (
            _("Somebody, perhaps you, wants to sign in with this address from now on."),
            _("Open the link in the browser in which you are signed in. Until then nothing changes."),
            once,
        ),
        "buttons": (Button(_("Confirm address"), letter.link),),
        "notes": (_("If it was not you, ignore this mail: nothing happens."),),
    }


def address_taken(letter: AddressTaken, _: Text) -> dict[str, Any]:
    return {
        "subject": _("This address has an account already"),
        "paragraphs": (
            _("Somebody, perhaps you, wanted to sign in to another account with this address."),
            _("It has an account of its own already, so nothing was changed."),
        ),
        "buttons": (Button(_("Sign in"), letter.sign_in_link),),
        "notes": (_("If it was not you, you need not do anything."),),
    }


def address_changed(letter: AddressChanged, _: Text, *, when: str, once: str) -> dict[str, Any]:
    return {
        "subject": _("Your e-mail address was changed"),
        "paragraphs": (
            _("From now on a different address signs in to your account, and mails go there."),
            _(
                "If it was not you, take the account back: this address counts again, and you choose a new password."
            ),
            once,
        ),
        "facts": ((_("When"), when),),
        "buttons": (Button(_("It was not me"), letter.link),),
        "notes": (_("If it was you, ignore this mail."),),
    }


def passkey_added(letter: PasskeyAdded, _: Text, *, when: str) -> dict[str, Any]:
    return {
        "subject": _("A passkey was added to your account"),
        "paragraphs": (_("From now on your account can be opened with it, without your password."),),
        "facts": ((_("When"), when),),
        "buttons": (Button(_("See my passkeys"), letter.passkeys_link),),
        "notes": (_("If it was not you, remove it and set a new password at once."),),
    }


def passkey_removed(letter: PasskeyRemoved, _: Text, *, when: str) -> dict[str, Any]:
    return {
        "subject": _("A passkey was removed from your account"),
        "paragraphs": (_("Your account cannot be opened with it any more."),),
        "facts": ((_("When"), when),),
        "buttons": (Button(_("See my passkeys"), letter.passkeys_link),),
        "notes": (_("If it was not you, set a new password at once."),),
    }


def second_factor_changed(letter: SecondFactorChanged, _: Text, *, when: str) -> dict[str, Any]:
    match letter.change:
        case "on":
            subject = _("A second factor was set up for your account")
            what = _("From now on signing in with your password takes a code as well.")
        case "off":
            subject = _("The second factor of your account was switched off")
            what = _("From now on your password alone is enough to sign in.")
        case "recovery_codes":
            subject = _("New recovery codes were made for your account")
            what = _("The earlier ones do not work any more.")
        case _:
            assert_never(letter.change)
    return {
        "subject": subject,
        "paragraphs": (what,),
        "facts": ((_("When"), when),),
        "buttons": (Button(_("Set a new password"), letter.reset_link),),
        "notes": (_("If it was not you, set a new password at once."),),
    }
