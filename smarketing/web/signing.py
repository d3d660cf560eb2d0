"""A signature asks again who the signer is: by password, slowed down like the sign-in page."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from smarketing.web.pages import Request


class SignatureForm(forms.Form):
    """Sign what carries this digest, and say again who you are."""

    digest = forms.CharField(widget=forms.HiddenInput, max_length=64)
    password = forms.CharField(
        label=gettext_lazy("Your password"),
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        help_text=gettext_lazy("A signature asks again who you are."),
    )


def without_password(request: Request) -> bool:
    """Signed in by the company's directory: that is asked again instead of a password."""
    return not request.user.has_usable_password()


def form_for(request: Request, digest: str) -> SignatureForm:
    """The form of a signature over ``digest``."""
    form = SignatureForm(request.POST if request.method == "POST" else None, initial={"digest": digest})
    if without_password(request):
        del form.fields["password"]
    return form


def is_who_they_say(request: Request, form: SignatureForm) -> bool:
    """Check the password of a valid form; what is wrong stands on the form."""
    if "password" not in form.fields:
        return True
    try:
        if get_adapter(request).reauthenticate(request.user, form.cleaned_data["password"]):
            return True
    except ValidationError as error:  # too many tries: how long to wait
        form.add_error("password", error)
        return False
    form.add_error("password", _("This is not your password."))
    return False
