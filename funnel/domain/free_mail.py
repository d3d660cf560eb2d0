"""Mail hosts where anybody may have an address: such an address tells nothing about a company."""

from __future__ import annotations

_LISTED = """
    gmail.com googlemail.com yahoo.com yahoo.co.uk yahoo.co.in yahoo.fr yahoo.de yahoo.es yahoo.it
    yahoo.com.br yahoo.co.jp ymail.com rocketmail.com hotmail.com hotmail.co.uk hotmail.fr hotmail.de
    hotmail.it hotmail.es outlook.com outlook.fr outlook.de outlook.es live.com live.co.uk live.fr
    msn.com aol.com icloud.com me.com mac.com proton.me protonmail.com pm.me gmx.de gmx.net gmx.com
    gmx.at gmx.ch web.de t-online.de freenet.de mail.ru bk.ru inbox.ru list.ru yandex.ru yandex.com
    ya.ru rambler.ru ukr.net i.ua seznam.cz email.cz wp.pl o2.pl onet.pl interia.pl libero.it
    virgilio.it tin.it alice.it orange.fr wanadoo.fr free.fr sfr.fr laposte.net terra.com.br uol.com.br
    bol.com.br ig.com.br qq.com 163.com 126.com sina.com naver.com daum.net hanmail.net rediffmail.com
    mail.com zoho.com tutanota.com fastmail.com hushmail.com comcast.net verizon.net att.net
    sbcglobal.net bellsouth.net cox.net btinternet.com sky.com virginmedia.com talktalk.net bigpond.com
"""
HOSTS = frozenset(_LISTED.split())


def is_work_address(email: str) -> bool:
    """Whether the address stands on a host of its own organisation, as far as the list tells."""
    host = email.rpartition("@")[2].strip().lower()
    return bool(host) and host not in HOSTS
