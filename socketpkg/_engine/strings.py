"""The constants that are strings.

They come from CPython's own source and are the same on every platform that has them. Those that are integers are in
`socketpkg._engine.constants`, a long list that nobody needs to read at run time.
"""

#: The Bluetooth addresses where there is AF_BLUETOOTH, the Hyper-V identifiers where there is AF_HYPERV.
from __future__ import annotations

STRINGS: dict[str, str] = {
    "BDADDR_ANY": "00:00:00:00:00:00",
    "BDADDR_LOCAL": "00:00:00:FF:FF:FF",
    "HV_GUID_BROADCAST": "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
    "HV_GUID_CHILDREN": "90DB8B89-0D35-4F79-8CE9-49EA0AC8B7CD",
    "HV_GUID_LOOPBACK": "E0E16197-DD56-4A10-9195-5EE7A155A838",
    "HV_GUID_PARENT": "A42E7CDA-D03F-480C-9CC2-A4DE20ABB878",
    "HV_GUID_WILDCARD": "00000000-0000-0000-0000-000000000000",
    "HV_GUID_ZERO": "00000000-0000-0000-0000-000000000000",
}
