# Written by backends/_stubs.py; do not edit.

import sys
from collections.abc import Iterable, Sequence
from os import PathLike
from socket import gaierror as gaierror
from socket import herror as herror
from socket import socket as _StdlibSocket
from types import ModuleType
from typing import Any, Final, SupportsIndex, TypeAlias, overload

from _typeshed import ReadableBuffer, WriteableBuffer
from typing_extensions import CapsuleType

from . import backends

# What makes an address depends on the family, and so does what comes back for one, which is Any.
_Address: TypeAlias = tuple[Any, ...] | str | ReadableBuffer
_Host: TypeAlias = str | bytes | bytearray
# What sendmmsg() sends. It gathers lists and tuples; list[ReadableBuffer] would not take a list[bytes].
_Data: TypeAlias = ReadableBuffer | Sequence[ReadableBuffer]
_Items: TypeAlias = Iterable[tuple[int, int, ReadableBuffer]]
_Message: TypeAlias = (
    ReadableBuffer | Sequence[ReadableBuffer] | tuple[_Data, _Address | None] | tuple[_Data, _Address | None, _Items]
)

# Without what the public module has in its own way: the members of its enums, for one.
__all__ = [  # noqa: RUF022
    "ALG_OP_DECRYPT",
    "ALG_OP_ENCRYPT",
    "ALG_OP_SIGN",
    "ALG_OP_VERIFY",
    "ALG_SET_AEAD_ASSOCLEN",
    "ALG_SET_AEAD_AUTHSIZE",
    "ALG_SET_DRBG_ENTROPY",
    "ALG_SET_IV",
    "ALG_SET_KEY",
    "ALG_SET_KEY_BY_KEY_SERIAL",
    "ALG_SET_OP",
    "ALG_SET_PUBKEY",
    "BDADDR_ANY",
    "BDADDR_BREDR",
    "BDADDR_LE_PUBLIC",
    "BDADDR_LE_RANDOM",
    "BDADDR_LOCAL",
    "BTPROTO_AVDTP",
    "BTPROTO_BNEP",
    "BTPROTO_CMTP",
    "BTPROTO_HCI",
    "BTPROTO_HIDP",
    "BTPROTO_ISO",
    "BTPROTO_L2CAP",
    "BTPROTO_RFCOMM",
    "BTPROTO_SCO",
    "BT_CHANNEL_POLICY",
    "BT_CHANNEL_POLICY_BREDR_ONLY",
    "BT_CHANNEL_POLICY_BREDR_PREFERRED",
    "BT_CODEC",
    "BT_DEFER_SETUP",
    "BT_FLUSHABLE",
    "BT_FLUSHABLE_OFF",
    "BT_FLUSHABLE_ON",
    "BT_ISO_QOS",
    "BT_MODE",
    "BT_MODE_BASIC",
    "BT_MODE_ERTM",
    "BT_MODE_EXT_FLOWCTL",
    "BT_MODE_LE_FLOWCTL",
    "BT_MODE_STREAMING",
    "BT_PHY",
    "BT_PHY_BR_1M_1SLOT",
    "BT_PHY_BR_1M_3SLOT",
    "BT_PHY_BR_1M_5SLOT",
    "BT_PHY_EDR_2M_1SLOT",
    "BT_PHY_EDR_2M_3SLOT",
    "BT_PHY_EDR_2M_5SLOT",
    "BT_PHY_EDR_3M_1SLOT",
    "BT_PHY_EDR_3M_3SLOT",
    "BT_PHY_EDR_3M_5SLOT",
    "BT_PHY_LE_1M_RX",
    "BT_PHY_LE_1M_TX",
    "BT_PHY_LE_2M_RX",
    "BT_PHY_LE_2M_TX",
    "BT_PHY_LE_CODED_RX",
    "BT_PHY_LE_CODED_TX",
    "BT_PKT_STATUS",
    "BT_POWER",
    "BT_POWER_FORCE_ACTIVE_OFF",
    "BT_POWER_FORCE_ACTIVE_ON",
    "BT_RCVMTU",
    "BT_SECURITY",
    "BT_SECURITY_FIPS",
    "BT_SECURITY_HIGH",
    "BT_SECURITY_LOW",
    "BT_SECURITY_MEDIUM",
    "BT_SECURITY_SDP",
    "BT_SNDMTU",
    "BT_VOICE",
    "BT_VOICE_CVSD_16BIT",
    "BT_VOICE_TRANSPARENT",
    "BT_VOICE_TRANSPARENT_16BIT",
    "CANFD_BRS",
    "CANFD_ESI",
    "CANFD_FDF",
    "CANFD_MAX_DLC",
    "CANFD_MAX_DLEN",
    "CANFD_MTU",
    "CANXL_MAX_DLEN",
    "CANXL_MIN_DLEN",
    "CANXL_MTU",
    "CANXL_RRS",
    "CANXL_SEC",
    "CANXL_XLF",
    "CAN_BCM",
    "CAN_BCM_CAN_FD_FRAME",
    "CAN_BCM_RX_ANNOUNCE_RESUME",
    "CAN_BCM_RX_CHANGED",
    "CAN_BCM_RX_CHECK_DLC",
    "CAN_BCM_RX_DELETE",
    "CAN_BCM_RX_FILTER_ID",
    "CAN_BCM_RX_NO_AUTOTIMER",
    "CAN_BCM_RX_READ",
    "CAN_BCM_RX_RTR_FRAME",
    "CAN_BCM_RX_SETUP",
    "CAN_BCM_RX_STATUS",
    "CAN_BCM_RX_TIMEOUT",
    "CAN_BCM_SETTIMER",
    "CAN_BCM_STARTTIMER",
    "CAN_BCM_TX_ANNOUNCE",
    "CAN_BCM_TX_COUNTEVT",
    "CAN_BCM_TX_CP_CAN_ID",
    "CAN_BCM_TX_DELETE",
    "CAN_BCM_TX_EXPIRED",
    "CAN_BCM_TX_READ",
    "CAN_BCM_TX_RESET_MULTI_IDX",
    "CAN_BCM_TX_SEND",
    "CAN_BCM_TX_SETUP",
    "CAN_BCM_TX_STATUS",
    "CAN_EFF_FLAG",
    "CAN_EFF_MASK",
    "CAN_ERR_FLAG",
    "CAN_ERR_MASK",
    "CAN_INV_FILTER",
    "CAN_ISOTP",
    "CAN_ISOTP_CF_BROADCAST",
    "CAN_ISOTP_CHK_PAD_DATA",
    "CAN_ISOTP_CHK_PAD_LEN",
    "CAN_ISOTP_DEFAULT_EXT_ADDRESS",
    "CAN_ISOTP_DEFAULT_FLAGS",
    "CAN_ISOTP_DEFAULT_FRAME_TXTIME",
    "CAN_ISOTP_DEFAULT_LL_MTU",
    "CAN_ISOTP_DEFAULT_LL_TX_DL",
    "CAN_ISOTP_DEFAULT_LL_TX_FLAGS",
    "CAN_ISOTP_DEFAULT_PAD_CONTENT",
    "CAN_ISOTP_DEFAULT_RECV_BS",
    "CAN_ISOTP_DEFAULT_RECV_STMIN",
    "CAN_ISOTP_DEFAULT_RECV_WFTMAX",
    "CAN_ISOTP_DYN_FC_PARMS",
    "CAN_ISOTP_EXTEND_ADDR",
    "CAN_ISOTP_FORCE_RXSTMIN",
    "CAN_ISOTP_FORCE_TXSTMIN",
    "CAN_ISOTP_FRAME_TXTIME_ZERO",
    "CAN_ISOTP_HALF_DUPLEX",
    "CAN_ISOTP_LISTEN_MODE",
    "CAN_ISOTP_LL_OPTS",
    "CAN_ISOTP_OPTS",
    "CAN_ISOTP_RECV_FC",
    "CAN_ISOTP_RX_EXT_ADDR",
    "CAN_ISOTP_RX_PADDING",
    "CAN_ISOTP_RX_STMIN",
    "CAN_ISOTP_SF_BROADCAST",
    "CAN_ISOTP_TX_PADDING",
    "CAN_ISOTP_TX_STMIN",
    "CAN_ISOTP_WAIT_TX_DONE",
    "CAN_J1939",
    "CAN_MAX_DLC",
    "CAN_MAX_DLEN",
    "CAN_MCNET",
    "CAN_MTU",
    "CAN_RAW",
    "CAN_RAW_ERR_FILTER",
    "CAN_RAW_FD_FRAMES",
    "CAN_RAW_FILTER",
    "CAN_RAW_FILTER_MAX",
    "CAN_RAW_JOIN_FILTERS",
    "CAN_RAW_LOOPBACK",
    "CAN_RAW_RECV_OWN_MSGS",
    "CAN_RAW_XL_FRAMES",
    "CAN_RAW_XL_VCID_OPTS",
    "CAN_RAW_XL_VCID_RX_FILTER",
    "CAN_RAW_XL_VCID_TX_PASS",
    "CAN_RAW_XL_VCID_TX_SET",
    "CAN_RTR_FLAG",
    "CAN_SFF_MASK",
    "CAN_TP16",
    "CAN_TP20",
    "CAPI",
    "CMSG_LEN",
    "CMSG_SPACE",
    "DCCP_SOCKOPT_SERVICE",
    "EAI_ADDRFAMILY",
    "EAI_AGAIN",
    "EAI_ALLDONE",
    "EAI_BADFLAGS",
    "EAI_CANCELED",
    "EAI_FAIL",
    "EAI_FAMILY",
    "EAI_IDN_ENCODE",
    "EAI_INPROGRESS",
    "EAI_INTR",
    "EAI_MEMORY",
    "EAI_NODATA",
    "EAI_NONAME",
    "EAI_NOTCANCELED",
    "EAI_OVERFLOW",
    "EAI_SERVICE",
    "EAI_SOCKTYPE",
    "EAI_SYSTEM",
    "ETHERTYPE_AARP",
    "ETHERTYPE_ARP",
    "ETHERTYPE_AT",
    "ETHERTYPE_IP",
    "ETHERTYPE_IPV6",
    "ETHERTYPE_IPX",
    "ETHERTYPE_LOOPBACK",
    "ETHERTYPE_PUP",
    "ETHERTYPE_REVARP",
    "ETHERTYPE_SPRITE",
    "ETHERTYPE_TRAIL",
    "ETHERTYPE_VLAN",
    "ETH_ALEN",
    "ETH_DATA_LEN",
    "ETH_FCS_LEN",
    "ETH_FRAME_LEN",
    "ETH_HLEN",
    "ETH_MAX_MTU",
    "ETH_MIN_MTU",
    "ETH_P_1588",
    "ETH_P_8021AD",
    "ETH_P_8021AH",
    "ETH_P_8021Q",
    "ETH_P_80221",
    "ETH_P_802_2",
    "ETH_P_802_3",
    "ETH_P_802_3_MIN",
    "ETH_P_AARP",
    "ETH_P_ALL",
    "ETH_P_AOE",
    "ETH_P_ARP",
    "ETH_P_ATALK",
    "ETH_P_AX25",
    "ETH_P_BATMAN",
    "ETH_P_CAN",
    "ETH_P_CANFD",
    "ETH_P_CANXL",
    "ETH_P_CFM",
    "ETH_P_DSA",
    "ETH_P_ERSPAN",
    "ETH_P_ERSPAN2",
    "ETH_P_ETHERCAT",
    "ETH_P_FCOE",
    "ETH_P_FIP",
    "ETH_P_HSR",
    "ETH_P_IBOE",
    "ETH_P_IEEE802154",
    "ETH_P_IP",
    "ETH_P_IPV6",
    "ETH_P_IPX",
    "ETH_P_LINK_CTL",
    "ETH_P_LLDP",
    "ETH_P_LOOP",
    "ETH_P_LOOPBACK",
    "ETH_P_MACSEC",
    "ETH_P_MAP",
    "ETH_P_MCTP",
    "ETH_P_MPLS_MC",
    "ETH_P_MPLS_UC",
    "ETH_P_MRP",
    "ETH_P_MVRP",
    "ETH_P_NCSI",
    "ETH_P_NSH",
    "ETH_P_PAE",
    "ETH_P_PAUSE",
    "ETH_P_PHONET",
    "ETH_P_PPP_DISC",
    "ETH_P_PPP_SES",
    "ETH_P_PREAUTH",
    "ETH_P_PROFINET",
    "ETH_P_PRP",
    "ETH_P_PUP",
    "ETH_P_RARP",
    "ETH_P_SLOW",
    "ETH_P_SNAP",
    "ETH_P_TEB",
    "ETH_P_TIPC",
    "ETH_P_TSN",
    "ETH_P_X25",
    "ETH_ZLEN",
    "FD_SETSIZE",
    "FIOASYNC",
    "FIOGETOWN",
    "FIONBIO",
    "FIONREAD",
    "FIOSETOWN",
    "HCI_CHANNEL_CONTROL",
    "HCI_CHANNEL_LOGGING",
    "HCI_CHANNEL_MONITOR",
    "HCI_CHANNEL_RAW",
    "HCI_CHANNEL_USER",
    "HCI_DATA_DIR",
    "HCI_DEV_NONE",
    "HCI_FILTER",
    "HCI_TIME_STAMP",
    "HOST_NOT_FOUND",
    "HWTSTAMP_FILTER_ALL",
    "HWTSTAMP_FILTER_NONE",
    "HWTSTAMP_FILTER_NTP_ALL",
    "HWTSTAMP_FILTER_PTP_V2_DELAY_REQ",
    "HWTSTAMP_FILTER_PTP_V2_EVENT",
    "HWTSTAMP_FILTER_PTP_V2_SYNC",
    "HWTSTAMP_TX_OFF",
    "HWTSTAMP_TX_ON",
    "HWTSTAMP_TX_ONESTEP_P2P",
    "HWTSTAMP_TX_ONESTEP_SYNC",
    "ICMP6_FILTER",
    "ICMPV6_FILTER",
    "ICMP_FILTER",
    "IFF_ALLMULTI",
    "IFF_AUTOMEDIA",
    "IFF_BROADCAST",
    "IFF_DEBUG",
    "IFF_DORMANT",
    "IFF_DYNAMIC",
    "IFF_ECHO",
    "IFF_LOOPBACK",
    "IFF_LOWER_UP",
    "IFF_MASTER",
    "IFF_MULTICAST",
    "IFF_NOARP",
    "IFF_NOTRAILERS",
    "IFF_POINTOPOINT",
    "IFF_PORTSEL",
    "IFF_PROMISC",
    "IFF_RUNNING",
    "IFF_SLAVE",
    "IFF_UP",
    "IFNAMSIZ",
    "IF_NAMESIZE",
    "INADDR_ALLHOSTS_GROUP",
    "INADDR_ALLRTRS_GROUP",
    "INADDR_ALLSNOOPERS_GROUP",
    "INADDR_ANY",
    "INADDR_BROADCAST",
    "INADDR_DUMMY",
    "INADDR_LOOPBACK",
    "INADDR_MAX_LOCAL_GROUP",
    "INADDR_NONE",
    "INADDR_UNSPEC_GROUP",
    "INET6_ADDRSTRLEN",
    "INET_ADDRSTRLEN",
    "IN_LOOPBACKNET",
    "IOCTL_VM_SOCKETS_GET_LOCAL_CID",
    "IP6T_SO_ORIGINAL_DST",
    "IPPORT_RESERVED",
    "IPPORT_USERRESERVED",
    "IPPROTO_AGGFRAG",
    "IPPROTO_AH",
    "IPPROTO_BEETPH",
    "IPPROTO_COMP",
    "IPPROTO_DCCP",
    "IPPROTO_DSTOPTS",
    "IPPROTO_EGP",
    "IPPROTO_ENCAP",
    "IPPROTO_ESP",
    "IPPROTO_ETHERNET",
    "IPPROTO_FRAGMENT",
    "IPPROTO_GRE",
    "IPPROTO_HOPOPTS",
    "IPPROTO_ICMP",
    "IPPROTO_ICMPV6",
    "IPPROTO_IDP",
    "IPPROTO_IGMP",
    "IPPROTO_IP",
    "IPPROTO_IPIP",
    "IPPROTO_IPV6",
    "IPPROTO_L2TP",
    "IPPROTO_MH",
    "IPPROTO_MPLS",
    "IPPROTO_MPTCP",
    "IPPROTO_MTP",
    "IPPROTO_NONE",
    "IPPROTO_PIM",
    "IPPROTO_PUP",
    "IPPROTO_RAW",
    "IPPROTO_ROUTING",
    "IPPROTO_RSVP",
    "IPPROTO_SCTP",
    "IPPROTO_SMC",
    "IPPROTO_TCP",
    "IPPROTO_TP",
    "IPPROTO_UDP",
    "IPPROTO_UDPLITE",
    "IPTOS_CLASS_CS0",
    "IPTOS_CLASS_CS1",
    "IPTOS_CLASS_CS2",
    "IPTOS_CLASS_CS3",
    "IPTOS_CLASS_CS4",
    "IPTOS_CLASS_CS5",
    "IPTOS_CLASS_CS6",
    "IPTOS_CLASS_CS7",
    "IPTOS_DSCP_AF11",
    "IPTOS_DSCP_AF12",
    "IPTOS_DSCP_AF13",
    "IPTOS_DSCP_AF21",
    "IPTOS_DSCP_AF22",
    "IPTOS_DSCP_AF23",
    "IPTOS_DSCP_AF31",
    "IPTOS_DSCP_AF32",
    "IPTOS_DSCP_AF33",
    "IPTOS_DSCP_AF41",
    "IPTOS_DSCP_AF42",
    "IPTOS_DSCP_AF43",
    "IPTOS_DSCP_EF",
    "IPTOS_DSCP_LE",
    "IPTOS_DSCP_MASK",
    "IPTOS_DSCP_VA",
    "IPTOS_ECN_CE",
    "IPTOS_ECN_ECT0",
    "IPTOS_ECN_ECT1",
    "IPTOS_ECN_MASK",
    "IPTOS_ECN_NOT_ECT",
    "IPTOS_LOWCOST",
    "IPTOS_LOWDELAY",
    "IPTOS_MINCOST",
    "IPTOS_RELIABILITY",
    "IPTOS_THROUGHPUT",
    "IPTOS_TOS_MASK",
    "IPV6_2292DSTOPTS",
    "IPV6_2292HOPLIMIT",
    "IPV6_2292HOPOPTS",
    "IPV6_2292PKTINFO",
    "IPV6_2292PKTOPTIONS",
    "IPV6_2292RTHDR",
    "IPV6_ADDRFORM",
    "IPV6_ADDR_PREFERENCES",
    "IPV6_ADD_MEMBERSHIP",
    "IPV6_AUTHHDR",
    "IPV6_AUTOFLOWLABEL",
    "IPV6_CHECKSUM",
    "IPV6_DONTFRAG",
    "IPV6_DROP_MEMBERSHIP",
    "IPV6_DSTOPTS",
    "IPV6_FLOWINFO",
    "IPV6_FLOWINFO_FLOWLABEL",
    "IPV6_FLOWINFO_PRIORITY",
    "IPV6_FLOWINFO_SEND",
    "IPV6_FLOWLABEL_MGR",
    "IPV6_FL_A_GET",
    "IPV6_FL_A_PUT",
    "IPV6_FL_A_RENEW",
    "IPV6_FL_F_CREATE",
    "IPV6_FL_F_EXCL",
    "IPV6_FL_F_REFLECT",
    "IPV6_FL_F_REMOTE",
    "IPV6_FL_S_ANY",
    "IPV6_FL_S_EXCL",
    "IPV6_FL_S_NONE",
    "IPV6_FL_S_PROCESS",
    "IPV6_FL_S_USER",
    "IPV6_FREEBIND",
    "IPV6_HDRINCL",
    "IPV6_HOPLIMIT",
    "IPV6_HOPOPTS",
    "IPV6_IPSEC_POLICY",
    "IPV6_JOIN_ANYCAST",
    "IPV6_JOIN_GROUP",
    "IPV6_LEAVE_ANYCAST",
    "IPV6_LEAVE_GROUP",
    "IPV6_MINHOPCOUNT",
    "IPV6_MTU",
    "IPV6_MTU_DISCOVER",
    "IPV6_MULTICAST_ALL",
    "IPV6_MULTICAST_HOPS",
    "IPV6_MULTICAST_IF",
    "IPV6_MULTICAST_LOOP",
    "IPV6_NEXTHOP",
    "IPV6_ORIGDSTADDR",
    "IPV6_PATHMTU",
    "IPV6_PKTINFO",
    "IPV6_PMTUDISC_DO",
    "IPV6_PMTUDISC_DONT",
    "IPV6_PMTUDISC_INTERFACE",
    "IPV6_PMTUDISC_OMIT",
    "IPV6_PMTUDISC_PROBE",
    "IPV6_PMTUDISC_WANT",
    "IPV6_PREFER_SRC_CGA",
    "IPV6_PREFER_SRC_COA",
    "IPV6_PREFER_SRC_HOME",
    "IPV6_PREFER_SRC_NONCGA",
    "IPV6_PREFER_SRC_PUBLIC",
    "IPV6_PREFER_SRC_PUBTMP_DEFAULT",
    "IPV6_PREFER_SRC_TMP",
    "IPV6_RECVDSTOPTS",
    "IPV6_RECVERR",
    "IPV6_RECVERR_RFC4884",
    "IPV6_RECVFRAGSIZE",
    "IPV6_RECVHOPLIMIT",
    "IPV6_RECVHOPOPTS",
    "IPV6_RECVORIGDSTADDR",
    "IPV6_RECVPATHMTU",
    "IPV6_RECVPKTINFO",
    "IPV6_RECVRTHDR",
    "IPV6_RECVTCLASS",
    "IPV6_ROUTER_ALERT",
    "IPV6_ROUTER_ALERT_ISOLATE",
    "IPV6_RTHDR",
    "IPV6_RTHDRDSTOPTS",
    "IPV6_RTHDR_LOOSE",
    "IPV6_RTHDR_STRICT",
    "IPV6_RTHDR_TYPE_0",
    "IPV6_TCLASS",
    "IPV6_TRANSPARENT",
    "IPV6_UNICAST_HOPS",
    "IPV6_UNICAST_IF",
    "IPV6_V6ONLY",
    "IPV6_XFRM_POLICY",
    "IP_ADD_MEMBERSHIP",
    "IP_ADD_SOURCE_MEMBERSHIP",
    "IP_BIND_ADDRESS_NO_PORT",
    "IP_BLOCK_SOURCE",
    "IP_CHECKSUM",
    "IP_DEFAULT_MULTICAST_LOOP",
    "IP_DEFAULT_MULTICAST_TTL",
    "IP_DROP_MEMBERSHIP",
    "IP_DROP_SOURCE_MEMBERSHIP",
    "IP_FREEBIND",
    "IP_HDRINCL",
    "IP_IPSEC_POLICY",
    "IP_LOCAL_PORT_RANGE",
    "IP_MAX_MEMBERSHIPS",
    "IP_MINTTL",
    "IP_MSFILTER",
    "IP_MTU",
    "IP_MTU_DISCOVER",
    "IP_MULTICAST_ALL",
    "IP_MULTICAST_IF",
    "IP_MULTICAST_LOOP",
    "IP_MULTICAST_TTL",
    "IP_NODEFRAG",
    "IP_OPTIONS",
    "IP_ORIGDSTADDR",
    "IP_PASSSEC",
    "IP_PKTINFO",
    "IP_PKTOPTIONS",
    "IP_PMTUDISC_DO",
    "IP_PMTUDISC_DONT",
    "IP_PMTUDISC_INTERFACE",
    "IP_PMTUDISC_OMIT",
    "IP_PMTUDISC_PROBE",
    "IP_PMTUDISC_WANT",
    "IP_PROTOCOL",
    "IP_RECVERR",
    "IP_RECVERR_RFC4884",
    "IP_RECVFRAGSIZE",
    "IP_RECVOPTS",
    "IP_RECVORIGDSTADDR",
    "IP_RECVRETOPTS",
    "IP_RECVTOS",
    "IP_RECVTTL",
    "IP_RETOPTS",
    "IP_ROUTER_ALERT",
    "IP_TOS",
    "IP_TRANSPARENT",
    "IP_TTL",
    "IP_UNBLOCK_SOURCE",
    "IP_UNICAST_IF",
    "IP_XFRM_POLICY",
    "J1939_EE_INFO_NONE",
    "J1939_EE_INFO_RX_ABORT",
    "J1939_EE_INFO_RX_DPO",
    "J1939_EE_INFO_RX_RTS",
    "J1939_EE_INFO_TX_ABORT",
    "J1939_FILTER_MAX",
    "J1939_IDLE_ADDR",
    "J1939_MAX_UNICAST_ADDR",
    "J1939_NLA_BYTES_ACKED",
    "J1939_NLA_DEST_ADDR",
    "J1939_NLA_DEST_NAME",
    "J1939_NLA_PAD",
    "J1939_NLA_PGN",
    "J1939_NLA_SRC_ADDR",
    "J1939_NLA_SRC_NAME",
    "J1939_NLA_TOTAL_SIZE",
    "J1939_NO_ADDR",
    "J1939_NO_NAME",
    "J1939_NO_PGN",
    "J1939_PGN_ADDRESS_CLAIMED",
    "J1939_PGN_ADDRESS_COMMANDED",
    "J1939_PGN_MAX",
    "J1939_PGN_PDU1_MAX",
    "J1939_PGN_REQUEST",
    "KCMPROTO_CONNECTED",
    "KCM_RECV_DISABLE",
    "L2CAP_CONNINFO",
    "L2CAP_LM",
    "L2CAP_LM_AUTH",
    "L2CAP_LM_ENCRYPT",
    "L2CAP_LM_FIPS",
    "L2CAP_LM_MASTER",
    "L2CAP_LM_RELIABLE",
    "L2CAP_LM_SECURE",
    "L2CAP_LM_TRUSTED",
    "L2CAP_OPTIONS",
    "LLC_OPT_ACK_TMR_EXP",
    "LLC_OPT_BUSY_TMR_EXP",
    "LLC_OPT_PKTINFO",
    "LLC_OPT_P_TMR_EXP",
    "LLC_OPT_REJ_TMR_EXP",
    "LLC_OPT_RETRY",
    "LLC_OPT_RX_WIN",
    "LLC_OPT_SIZE",
    "LLC_OPT_TX_WIN",
    "MCAST_BLOCK_SOURCE",
    "MCAST_EXCLUDE",
    "MCAST_INCLUDE",
    "MCAST_JOIN_GROUP",
    "MCAST_JOIN_SOURCE_GROUP",
    "MCAST_LEAVE_GROUP",
    "MCAST_LEAVE_SOURCE_GROUP",
    "MCAST_MSFILTER",
    "MCAST_UNBLOCK_SOURCE",
    "MCTP_ADDR_ANY",
    "MCTP_ADDR_NULL",
    "MCTP_NET_ANY",
    "MCTP_OPT_ADDR_EXT",
    "MCTP_TAG_MASK",
    "MCTP_TAG_OWNER",
    "MCTP_TAG_PREALLOC",
    "MPTCP_FULL_INFO",
    "MPTCP_INFO",
    "MPTCP_INFO_FLAG_FALLBACK",
    "MPTCP_INFO_FLAG_REMOTE_KEY_RECEIVED",
    "MPTCP_SUBFLOW_ADDRS",
    "MPTCP_TCPINFO",
    "NETLINK_ADD_MEMBERSHIP",
    "NETLINK_AUDIT",
    "NETLINK_BROADCAST_ERROR",
    "NETLINK_CAP_ACK",
    "NETLINK_CONNECTOR",
    "NETLINK_CRYPTO",
    "NETLINK_DNRTMSG",
    "NETLINK_DROP_MEMBERSHIP",
    "NETLINK_ECRYPTFS",
    "NETLINK_EXT_ACK",
    "NETLINK_FIB_LOOKUP",
    "NETLINK_FIREWALL",
    "NETLINK_GENERIC",
    "NETLINK_GET_STRICT_CHK",
    "NETLINK_INET_DIAG",
    "NETLINK_IP6_FW",
    "NETLINK_ISCSI",
    "NETLINK_KOBJECT_UEVENT",
    "NETLINK_LISTEN_ALL_NSID",
    "NETLINK_LIST_MEMBERSHIPS",
    "NETLINK_NETFILTER",
    "NETLINK_NFLOG",
    "NETLINK_NO_ENOBUFS",
    "NETLINK_PKTINFO",
    "NETLINK_RDMA",
    "NETLINK_ROUTE",
    "NETLINK_RX_RING",
    "NETLINK_SCSITRANSPORT",
    "NETLINK_SELINUX",
    "NETLINK_SMC",
    "NETLINK_SOCK_DIAG",
    "NETLINK_TX_RING",
    "NETLINK_UNUSED",
    "NETLINK_USERSOCK",
    "NETLINK_XFRM",
    "NI_DGRAM",
    "NI_IDN",
    "NI_MAXHOST",
    "NI_MAXSERV",
    "NI_NAMEREQD",
    "NI_NOFQDN",
    "NI_NUMERICHOST",
    "NI_NUMERICSERV",
    "NLA_ALIGNTO",
    "NLA_F_NESTED",
    "NLA_F_NET_BYTEORDER",
    "NLA_TYPE_MASK",
    "NLMSG_ALIGNTO",
    "NLMSG_DONE",
    "NLMSG_ERROR",
    "NLMSG_MIN_TYPE",
    "NLMSG_NOOP",
    "NLMSG_OVERRUN",
    "NLM_F_ACK",
    "NLM_F_ACK_TLVS",
    "NLM_F_APPEND",
    "NLM_F_ATOMIC",
    "NLM_F_BULK",
    "NLM_F_CAPPED",
    "NLM_F_CREATE",
    "NLM_F_DUMP",
    "NLM_F_DUMP_FILTERED",
    "NLM_F_DUMP_INTR",
    "NLM_F_ECHO",
    "NLM_F_EXCL",
    "NLM_F_MATCH",
    "NLM_F_MULTI",
    "NLM_F_NONREC",
    "NLM_F_REPLACE",
    "NLM_F_REQUEST",
    "NLM_F_ROOT",
    "NO_ADDRESS",
    "NO_DATA",
    "NO_RECOVERY",
    "PACKET_ADD_MEMBERSHIP",
    "PACKET_AUXDATA",
    "PACKET_BROADCAST",
    "PACKET_COPY_THRESH",
    "PACKET_DROP_MEMBERSHIP",
    "PACKET_FANOUT",
    "PACKET_FANOUT_CBPF",
    "PACKET_FANOUT_CPU",
    "PACKET_FANOUT_DATA",
    "PACKET_FANOUT_EBPF",
    "PACKET_FANOUT_FLAG_DEFRAG",
    "PACKET_FANOUT_FLAG_IGNORE_OUTGOING",
    "PACKET_FANOUT_FLAG_ROLLOVER",
    "PACKET_FANOUT_FLAG_UNIQUEID",
    "PACKET_FANOUT_HASH",
    "PACKET_FANOUT_LB",
    "PACKET_FANOUT_QM",
    "PACKET_FANOUT_RND",
    "PACKET_FANOUT_ROLLOVER",
    "PACKET_FASTROUTE",
    "PACKET_HDRLEN",
    "PACKET_HOST",
    "PACKET_IGNORE_OUTGOING",
    "PACKET_LOOPBACK",
    "PACKET_LOSS",
    "PACKET_MR_ALLMULTI",
    "PACKET_MR_MULTICAST",
    "PACKET_MR_PROMISC",
    "PACKET_MR_UNICAST",
    "PACKET_MULTICAST",
    "PACKET_ORIGDEV",
    "PACKET_OTHERHOST",
    "PACKET_OUTGOING",
    "PACKET_QDISC_BYPASS",
    "PACKET_RECV_OUTPUT",
    "PACKET_RESERVE",
    "PACKET_ROLLOVER_STATS",
    "PACKET_RX_RING",
    "PACKET_STATISTICS",
    "PACKET_TIMESTAMP",
    "PACKET_TX_HAS_OFF",
    "PACKET_TX_RING",
    "PACKET_TX_TIMESTAMP",
    "PACKET_VERSION",
    "PACKET_VNET_HDR",
    "PACKET_VNET_HDR_SZ",
    "PF_ALG",
    "PF_APPLETALK",
    "PF_ATMPVC",
    "PF_ATMSVC",
    "PF_AX25",
    "PF_BLUETOOTH",
    "PF_BRIDGE",
    "PF_CAIF",
    "PF_CAN",
    "PF_IB",
    "PF_IEEE802154",
    "PF_INET",
    "PF_INET6",
    "PF_IPX",
    "PF_ISDN",
    "PF_IUCV",
    "PF_KCM",
    "PF_KEY",
    "PF_LLC",
    "PF_LOCAL",
    "PF_MCTP",
    "PF_MPLS",
    "PF_NETLINK",
    "PF_NETROM",
    "PF_NFC",
    "PF_PACKET",
    "PF_PHONET",
    "PF_PPPOX",
    "PF_QIPCRTR",
    "PF_RDS",
    "PF_ROSE",
    "PF_ROUTE",
    "PF_RXRPC",
    "PF_SMC",
    "PF_TIPC",
    "PF_UNIX",
    "PF_UNSPEC",
    "PF_VSOCK",
    "PF_X25",
    "PF_XDP",
    "POLLERR",
    "POLLHUP",
    "POLLIN",
    "POLLMSG",
    "POLLNVAL",
    "POLLOUT",
    "POLLPRI",
    "POLLRDBAND",
    "POLLRDHUP",
    "POLLRDNORM",
    "POLLWRBAND",
    "POLLWRNORM",
    "QRTR_NODE_BCAST",
    "QRTR_PORT_CTRL",
    "RDS_CANCEL_SENT_TO",
    "RDS_CMSG_ATOMIC_CSWP",
    "RDS_CMSG_ATOMIC_FADD",
    "RDS_CMSG_CONG_UPDATE",
    "RDS_CMSG_MASKED_ATOMIC_CSWP",
    "RDS_CMSG_MASKED_ATOMIC_FADD",
    "RDS_CMSG_RDMA_ARGS",
    "RDS_CMSG_RDMA_DEST",
    "RDS_CMSG_RDMA_MAP",
    "RDS_CMSG_RDMA_STATUS",
    "RDS_CMSG_RXPATH_LATENCY",
    "RDS_CMSG_ZCOPY_COMPLETION",
    "RDS_CMSG_ZCOPY_COOKIE",
    "RDS_CONG_MONITOR",
    "RDS_FREE_MR",
    "RDS_GET_MR",
    "RDS_GET_MR_FOR_DEST",
    "RDS_RDMA_DONTWAIT",
    "RDS_RDMA_FENCE",
    "RDS_RDMA_INVALIDATE",
    "RDS_RDMA_NOTIFY_ME",
    "RDS_RDMA_READWRITE",
    "RDS_RDMA_SILENT",
    "RDS_RDMA_USE_ONCE",
    "RDS_RECVERR",
    "RDS_TRANS_IB",
    "RDS_TRANS_NONE",
    "RDS_TRANS_TCP",
    "RFCOMM_CONNINFO",
    "RFCOMM_LM",
    "RFCOMM_LM_AUTH",
    "RFCOMM_LM_ENCRYPT",
    "RFCOMM_LM_FIPS",
    "RFCOMM_LM_MASTER",
    "RFCOMM_LM_RELIABLE",
    "RFCOMM_LM_SECURE",
    "RFCOMM_LM_TRUSTED",
    "SCM_CAN_RAW_ERRQUEUE",
    "SCM_CREDENTIALS",
    "SCM_DEVMEM_DMABUF",
    "SCM_DEVMEM_LINEAR",
    "SCM_INQ",
    "SCM_J1939_DEST_ADDR",
    "SCM_J1939_DEST_NAME",
    "SCM_J1939_ERRQUEUE",
    "SCM_J1939_PRIO",
    "SCM_PIDFD",
    "SCM_RIGHTS",
    "SCM_SECURITY",
    "SCM_TIMESTAMP",
    "SCM_TIMESTAMPING",
    "SCM_TIMESTAMPING_OPT_STATS",
    "SCM_TIMESTAMPING_PKTINFO",
    "SCM_TIMESTAMPNS",
    "SCM_TSTAMP_ACK",
    "SCM_TSTAMP_COMPLETION",
    "SCM_TSTAMP_SCHED",
    "SCM_TSTAMP_SND",
    "SCM_TS_OPT_ID",
    "SCM_TXTIME",
    "SCM_WIFI_STATUS",
    "SCO_CONNINFO",
    "SCO_OPTIONS",
    "SCTP_ASSOCINFO",
    "SCTP_AUTHINFO",
    "SCTP_AUTOCLOSE",
    "SCTP_CONTEXT",
    "SCTP_DEFAULT_SEND_PARAM",
    "SCTP_DEFAULT_SNDINFO",
    "SCTP_DELAYED_SACK",
    "SCTP_DISABLE_FRAGMENTS",
    "SCTP_EVENT",
    "SCTP_EVENTS",
    "SCTP_FRAGMENT_INTERLEAVE",
    "SCTP_GET_PEER_ADDR_INFO",
    "SCTP_INIT",
    "SCTP_INITMSG",
    "SCTP_I_WANT_MAPPED_V4_ADDR",
    "SCTP_MAXSEG",
    "SCTP_MAX_BURST",
    "SCTP_NODELAY",
    "SCTP_NXTINFO",
    "SCTP_PARTIAL_DELIVERY_POINT",
    "SCTP_PEER_ADDR_PARAMS",
    "SCTP_PRIMARY_ADDR",
    "SCTP_PRINFO",
    "SCTP_RCVINFO",
    "SCTP_RECVNXTINFO",
    "SCTP_RECVRCVINFO",
    "SCTP_REUSE_PORT",
    "SCTP_RTOINFO",
    "SCTP_SNDINFO",
    "SCTP_SNDRCV",
    "SCTP_SOCKOPT_BINDX_ADD",
    "SCTP_SOCKOPT_BINDX_REM",
    "SCTP_SOCKOPT_CONNECTX",
    "SCTP_SOCKOPT_PEELOFF",
    "SCTP_STATUS",
    "SHUT_RD",
    "SHUT_RDWR",
    "SHUT_WR",
    "SIOCADDMULTI",
    "SIOCATMARK",
    "SIOCDARP",
    "SIOCDELMULTI",
    "SIOCETHTOOL",
    "SIOCGARP",
    "SIOCGHWTSTAMP",
    "SIOCGIFADDR",
    "SIOCGIFBRDADDR",
    "SIOCGIFCONF",
    "SIOCGIFDSTADDR",
    "SIOCGIFFLAGS",
    "SIOCGIFHWADDR",
    "SIOCGIFINDEX",
    "SIOCGIFMETRIC",
    "SIOCGIFMTU",
    "SIOCGIFNAME",
    "SIOCGIFNETMASK",
    "SIOCGIFTXQLEN",
    "SIOCGPGRP",
    "SIOCGSKNS",
    "SIOCINQ",
    "SIOCKCMATTACH",
    "SIOCKCMCLONE",
    "SIOCKCMUNATTACH",
    "SIOCOUTQ",
    "SIOCOUTQNSD",
    "SIOCSARP",
    "SIOCSHWTSTAMP",
    "SIOCSIFADDR",
    "SIOCSIFBRDADDR",
    "SIOCSIFDSTADDR",
    "SIOCSIFFLAGS",
    "SIOCSIFHWADDR",
    "SIOCSIFMETRIC",
    "SIOCSIFMTU",
    "SIOCSIFNAME",
    "SIOCSIFNETMASK",
    "SIOCSIFTXQLEN",
    "SIOCSPGRP",
    "SIOCUNIXFILE",
    "SMCPROTO_SMC",
    "SMCPROTO_SMC6",
    "SMC_LIMIT_HS",
    "SOF_TIMESTAMPING_BIND_PHC",
    "SOF_TIMESTAMPING_OPT_CMSG",
    "SOF_TIMESTAMPING_OPT_ID",
    "SOF_TIMESTAMPING_OPT_ID_TCP",
    "SOF_TIMESTAMPING_OPT_PKTINFO",
    "SOF_TIMESTAMPING_OPT_RX_FILTER",
    "SOF_TIMESTAMPING_OPT_STATS",
    "SOF_TIMESTAMPING_OPT_TSONLY",
    "SOF_TIMESTAMPING_OPT_TX_SWHW",
    "SOF_TIMESTAMPING_RAW_HARDWARE",
    "SOF_TIMESTAMPING_RX_HARDWARE",
    "SOF_TIMESTAMPING_RX_SOFTWARE",
    "SOF_TIMESTAMPING_SOFTWARE",
    "SOF_TIMESTAMPING_SYS_HARDWARE",
    "SOF_TIMESTAMPING_TX_ACK",
    "SOF_TIMESTAMPING_TX_COMPLETION",
    "SOF_TIMESTAMPING_TX_HARDWARE",
    "SOF_TIMESTAMPING_TX_SCHED",
    "SOF_TIMESTAMPING_TX_SOFTWARE",
    "SOF_TXTIME_DEADLINE_MODE",
    "SOF_TXTIME_REPORT_ERRORS",
    "SOL_AAL",
    "SOL_ALG",
    "SOL_ATALK",
    "SOL_ATM",
    "SOL_AX25",
    "SOL_BLUETOOTH",
    "SOL_CAIF",
    "SOL_CAN_BASE",
    "SOL_CAN_BCM",
    "SOL_CAN_ISOTP",
    "SOL_CAN_J1939",
    "SOL_CAN_RAW",
    "SOL_DCCP",
    "SOL_DECNET",
    "SOL_HCI",
    "SOL_ICMPV6",
    "SOL_IP",
    "SOL_IPV6",
    "SOL_IPX",
    "SOL_IRDA",
    "SOL_IUCV",
    "SOL_KCM",
    "SOL_L2CAP",
    "SOL_LLC",
    "SOL_MCTP",
    "SOL_MPTCP",
    "SOL_NETBEUI",
    "SOL_NETLINK",
    "SOL_NETROM",
    "SOL_NFC",
    "SOL_PACKET",
    "SOL_PNPIPE",
    "SOL_PPPOL2TP",
    "SOL_RAW",
    "SOL_RDS",
    "SOL_RFCOMM",
    "SOL_ROSE",
    "SOL_RXRPC",
    "SOL_SCO",
    "SOL_SCTP",
    "SOL_SMC",
    "SOL_SOCKET",
    "SOL_TCP",
    "SOL_TIPC",
    "SOL_TLS",
    "SOL_UDP",
    "SOL_UDPLITE",
    "SOL_VSOCK",
    "SOL_X25",
    "SOL_XDP",
    "SOMAXCONN",
    "SO_ACCEPTCONN",
    "SO_ATTACH_BPF",
    "SO_ATTACH_FILTER",
    "SO_ATTACH_REUSEPORT_CBPF",
    "SO_ATTACH_REUSEPORT_EBPF",
    "SO_BINDTODEVICE",
    "SO_BINDTOIFINDEX",
    "SO_BPF_EXTENSIONS",
    "SO_BROADCAST",
    "SO_BSDCOMPAT",
    "SO_BUF_LOCK",
    "SO_BUSY_POLL",
    "SO_BUSY_POLL_BUDGET",
    "SO_CNX_ADVICE",
    "SO_COOKIE",
    "SO_DEBUG",
    "SO_DETACH_BPF",
    "SO_DETACH_FILTER",
    "SO_DETACH_REUSEPORT_BPF",
    "SO_DEVMEM_DMABUF",
    "SO_DEVMEM_DONTNEED",
    "SO_DEVMEM_LINEAR",
    "SO_DOMAIN",
    "SO_DONTROUTE",
    "SO_EE_CODE_TXTIME_INVALID_PARAM",
    "SO_EE_CODE_TXTIME_MISSED",
    "SO_EE_CODE_ZEROCOPY_COPIED",
    "SO_EE_ORIGIN_ICMP",
    "SO_EE_ORIGIN_ICMP6",
    "SO_EE_ORIGIN_LOCAL",
    "SO_EE_ORIGIN_NONE",
    "SO_EE_ORIGIN_TIMESTAMPING",
    "SO_EE_ORIGIN_TXSTATUS",
    "SO_EE_ORIGIN_TXTIME",
    "SO_EE_ORIGIN_ZEROCOPY",
    "SO_EE_RFC4884_FLAG_INVALID",
    "SO_ERROR",
    "SO_GET_FILTER",
    "SO_INCOMING_CPU",
    "SO_INCOMING_NAPI_ID",
    "SO_INQ",
    "SO_J1939_ERRQUEUE",
    "SO_J1939_FILTER",
    "SO_J1939_PROMISC",
    "SO_J1939_SEND_PRIO",
    "SO_KEEPALIVE",
    "SO_LINGER",
    "SO_LOCK_FILTER",
    "SO_MARK",
    "SO_MAX_PACING_RATE",
    "SO_MEMINFO",
    "SO_NETNS_COOKIE",
    "SO_NOFCS",
    "SO_NO_CHECK",
    "SO_OOBINLINE",
    "SO_ORIGINAL_DST",
    "SO_PASSCRED",
    "SO_PASSPIDFD",
    "SO_PASSRIGHTS",
    "SO_PASSSEC",
    "SO_PEEK_OFF",
    "SO_PEERCRED",
    "SO_PEERGROUPS",
    "SO_PEERNAME",
    "SO_PEERPIDFD",
    "SO_PEERSEC",
    "SO_PREFER_BUSY_POLL",
    "SO_PRIORITY",
    "SO_PROTOCOL",
    "SO_RCVBUF",
    "SO_RCVBUFFORCE",
    "SO_RCVLOWAT",
    "SO_RCVMARK",
    "SO_RCVPRIORITY",
    "SO_RCVTIMEO",
    "SO_RCVTIMEO_NEW",
    "SO_RCVTIMEO_OLD",
    "SO_RDS_MSG_RXPATH_LATENCY",
    "SO_RDS_TRANSPORT",
    "SO_RESERVE_MEM",
    "SO_REUSEADDR",
    "SO_REUSEPORT",
    "SO_RXQ_OVFL",
    "SO_SELECT_ERR_QUEUE",
    "SO_SNDBUF",
    "SO_SNDBUFFORCE",
    "SO_SNDLOWAT",
    "SO_SNDTIMEO",
    "SO_SNDTIMEO_NEW",
    "SO_SNDTIMEO_OLD",
    "SO_TIMESTAMP",
    "SO_TIMESTAMPING",
    "SO_TIMESTAMPING_NEW",
    "SO_TIMESTAMPING_OLD",
    "SO_TIMESTAMPNS",
    "SO_TIMESTAMPNS_NEW",
    "SO_TIMESTAMPNS_OLD",
    "SO_TIMESTAMP_NEW",
    "SO_TIMESTAMP_OLD",
    "SO_TXREHASH",
    "SO_TXTIME",
    "SO_TYPE",
    "SO_VM_SOCKETS_BUFFER_MAX_SIZE",
    "SO_VM_SOCKETS_BUFFER_MIN_SIZE",
    "SO_VM_SOCKETS_BUFFER_SIZE",
    "SO_VM_SOCKETS_CONNECT_TIMEOUT",
    "SO_VM_SOCKETS_CONNECT_TIMEOUT_NEW",
    "SO_VM_SOCKETS_CONNECT_TIMEOUT_OLD",
    "SO_VM_SOCKETS_NONBLOCK_TXRX",
    "SO_VM_SOCKETS_PEER_HOST_VM_ID",
    "SO_VM_SOCKETS_TRUSTED",
    "SO_WIFI_STATUS",
    "SO_ZEROCOPY",
    "SocketType",
    "TCPI_OPT_ECN",
    "TCPI_OPT_ECN_SEEN",
    "TCPI_OPT_SACK",
    "TCPI_OPT_SYN_DATA",
    "TCPI_OPT_TFO_CHILD",
    "TCPI_OPT_TIMESTAMPS",
    "TCPI_OPT_USEC_TS",
    "TCPI_OPT_WSCALE",
    "TCP_AO_ADD_KEY",
    "TCP_AO_DEL_KEY",
    "TCP_AO_GET_KEYS",
    "TCP_AO_INFO",
    "TCP_AO_KEYF_EXCLUDE_OPT",
    "TCP_AO_KEYF_IFINDEX",
    "TCP_AO_MAXKEYLEN",
    "TCP_AO_REPAIR",
    "TCP_CA_CWR",
    "TCP_CA_Disorder",
    "TCP_CA_Loss",
    "TCP_CA_Open",
    "TCP_CA_Recovery",
    "TCP_CC_INFO",
    "TCP_CLOSE",
    "TCP_CLOSE_WAIT",
    "TCP_CLOSING",
    "TCP_CM_INQ",
    "TCP_CONGESTION",
    "TCP_CORK",
    "TCP_DEFER_ACCEPT",
    "TCP_DELACK_MAX_US",
    "TCP_ENCAP_ESPINTCP",
    "TCP_ESTABLISHED",
    "TCP_FASTOPEN",
    "TCP_FASTOPEN_CONNECT",
    "TCP_FASTOPEN_KEY",
    "TCP_FASTOPEN_NO_COOKIE",
    "TCP_FIN_WAIT1",
    "TCP_FIN_WAIT2",
    "TCP_INFO",
    "TCP_INQ",
    "TCP_IS_MPTCP",
    "TCP_KEEPCNT",
    "TCP_KEEPIDLE",
    "TCP_KEEPINTVL",
    "TCP_LAST_ACK",
    "TCP_LINGER2",
    "TCP_LISTEN",
    "TCP_MAXSEG",
    "TCP_MD5SIG",
    "TCP_MD5SIG_EXT",
    "TCP_MD5SIG_FLAG_IFINDEX",
    "TCP_MD5SIG_FLAG_PREFIX",
    "TCP_MD5SIG_MAXKEYLEN",
    "TCP_MSS_DEFAULT",
    "TCP_MSS_DESIRED",
    "TCP_NODELAY",
    "TCP_NOTSENT_LOWAT",
    "TCP_NO_QUEUE",
    "TCP_QUEUE_SEQ",
    "TCP_QUICKACK",
    "TCP_RECEIVE_ZEROCOPY_FLAG_TLB_CLEAN_HINT",
    "TCP_RECV_QUEUE",
    "TCP_REPAIR",
    "TCP_REPAIR_OFF",
    "TCP_REPAIR_OFF_NO_WP",
    "TCP_REPAIR_ON",
    "TCP_REPAIR_OPTIONS",
    "TCP_REPAIR_QUEUE",
    "TCP_REPAIR_WINDOW",
    "TCP_RTO_MAX_MS",
    "TCP_RTO_MIN_US",
    "TCP_SAVED_SYN",
    "TCP_SAVE_SYN",
    "TCP_SEND_QUEUE",
    "TCP_SYNCNT",
    "TCP_SYN_RECV",
    "TCP_SYN_SENT",
    "TCP_THIN_DUPACK",
    "TCP_THIN_LINEAR_TIMEOUTS",
    "TCP_TIMESTAMP",
    "TCP_TIME_WAIT",
    "TCP_TX_DELAY",
    "TCP_ULP",
    "TCP_USER_TIMEOUT",
    "TCP_WINDOW_CLAMP",
    "TCP_ZEROCOPY_RECEIVE",
    "TIPC_ADDR_ID",
    "TIPC_ADDR_MCAST",
    "TIPC_ADDR_NAME",
    "TIPC_ADDR_NAMESEQ",
    "TIPC_CFG_SRV",
    "TIPC_CLUSTER_SCOPE",
    "TIPC_CONN_SHUTDOWN",
    "TIPC_CONN_TIMEOUT",
    "TIPC_CRITICAL_IMPORTANCE",
    "TIPC_DESTNAME",
    "TIPC_DEST_DROPPABLE",
    "TIPC_ERRINFO",
    "TIPC_ERR_NO_NAME",
    "TIPC_ERR_NO_NODE",
    "TIPC_ERR_NO_PORT",
    "TIPC_ERR_OVERLOAD",
    "TIPC_GROUP_JOIN",
    "TIPC_GROUP_LEAVE",
    "TIPC_GROUP_LOOPBACK",
    "TIPC_GROUP_MEMBER_EVTS",
    "TIPC_HIGH_IMPORTANCE",
    "TIPC_IMPORTANCE",
    "TIPC_LINK_STATE",
    "TIPC_LOW_IMPORTANCE",
    "TIPC_MAX_USER_MSG_SIZE",
    "TIPC_MCAST_BROADCAST",
    "TIPC_MCAST_REPLICAST",
    "TIPC_MEDIUM_IMPORTANCE",
    "TIPC_NODELAY",
    "TIPC_NODE_RECVQ_DEPTH",
    "TIPC_NODE_SCOPE",
    "TIPC_NODE_STATE",
    "TIPC_OK",
    "TIPC_PUBLISHED",
    "TIPC_RESERVED_TYPES",
    "TIPC_RETDATA",
    "TIPC_SERVICE_ADDR",
    "TIPC_SERVICE_RANGE",
    "TIPC_SOCKET_ADDR",
    "TIPC_SOCK_RECVQ_DEPTH",
    "TIPC_SOCK_RECVQ_USED",
    "TIPC_SRC_DROPPABLE",
    "TIPC_SUBSCR_TIMEOUT",
    "TIPC_SUB_CANCEL",
    "TIPC_SUB_PORTS",
    "TIPC_SUB_SERVICE",
    "TIPC_TOP_SRV",
    "TIPC_WAIT_FOREVER",
    "TIPC_WITHDRAWN",
    "TIPC_ZONE_SCOPE",
    "TLS_1_2_VERSION",
    "TLS_1_3_VERSION",
    "TLS_CIPHER_AES_CCM_128",
    "TLS_CIPHER_AES_GCM_128",
    "TLS_CIPHER_AES_GCM_256",
    "TLS_CIPHER_ARIA_GCM_128",
    "TLS_CIPHER_ARIA_GCM_256",
    "TLS_CIPHER_CHACHA20_POLY1305",
    "TLS_CIPHER_SM4_CCM",
    "TLS_CIPHER_SM4_GCM",
    "TLS_GET_RECORD_TYPE",
    "TLS_RX",
    "TLS_RX_EXPECT_NO_PAD",
    "TLS_SET_RECORD_TYPE",
    "TLS_TX",
    "TLS_TX_MAX_PAYLOAD_LEN",
    "TLS_TX_ZEROCOPY_RO",
    "TPACKET_ALIGNMENT",
    "TPACKET_V1",
    "TPACKET_V2",
    "TPACKET_V3",
    "TP_STATUS_AVAILABLE",
    "TP_STATUS_BLK_TMO",
    "TP_STATUS_COPY",
    "TP_STATUS_CSUMNOTREADY",
    "TP_STATUS_CSUM_VALID",
    "TP_STATUS_GSO_TCP",
    "TP_STATUS_KERNEL",
    "TP_STATUS_LOSING",
    "TP_STATUS_SENDING",
    "TP_STATUS_SEND_REQUEST",
    "TP_STATUS_TS_RAW_HARDWARE",
    "TP_STATUS_TS_SOFTWARE",
    "TP_STATUS_USER",
    "TP_STATUS_VLAN_TPID_VALID",
    "TP_STATUS_VLAN_VALID",
    "TP_STATUS_WRONG_FORMAT",
    "TRY_AGAIN",
    "UDPLITE_RECV_CSCOV",
    "UDPLITE_SEND_CSCOV",
    "UDP_CORK",
    "UDP_ENCAP",
    "UDP_ENCAP_ESPINUDP",
    "UDP_ENCAP_ESPINUDP_NON_IKE",
    "UDP_ENCAP_GTP0",
    "UDP_ENCAP_GTP1U",
    "UDP_ENCAP_L2TPINUDP",
    "UDP_ENCAP_OVPNINUDP",
    "UDP_ENCAP_RXRPC",
    "UDP_GRO",
    "UDP_NO_CHECK6_RX",
    "UDP_NO_CHECK6_TX",
    "UDP_SEGMENT",
    "UNIX_PATH_MAX",
    "VMADDR_CID_ANY",
    "VMADDR_CID_HOST",
    "VMADDR_CID_HYPERVISOR",
    "VMADDR_CID_LOCAL",
    "VMADDR_FLAG_TO_HOST",
    "VMADDR_PORT_ANY",
    "VM_SOCKETS_INVALID_VERSION",
    "VSOCK_RECVERR",
    "XDP_COPY",
    "XDP_MAX_TX_SKB_BUDGET",
    "XDP_MMAP_OFFSETS",
    "XDP_OPTIONS",
    "XDP_OPTIONS_ZEROCOPY",
    "XDP_PGOFF_RX_RING",
    "XDP_PGOFF_TX_RING",
    "XDP_PKT_CONTD",
    "XDP_RING_NEED_WAKEUP",
    "XDP_RX_RING",
    "XDP_SHARED_UMEM",
    "XDP_STATISTICS",
    "XDP_TXMD_FLAGS_CHECKSUM",
    "XDP_TXMD_FLAGS_LAUNCH_TIME",
    "XDP_TXMD_FLAGS_TIMESTAMP",
    "XDP_TX_METADATA",
    "XDP_TX_RING",
    "XDP_UMEM_COMPLETION_RING",
    "XDP_UMEM_FILL_RING",
    "XDP_UMEM_PGOFF_COMPLETION_RING",
    "XDP_UMEM_PGOFF_FILL_RING",
    "XDP_UMEM_REG",
    "XDP_UMEM_TX_METADATA_LEN",
    "XDP_UMEM_TX_SW_CSUM",
    "XDP_UMEM_UNALIGNED_CHUNK_FLAG",
    "XDP_USE_NEED_WAKEUP",
    "XDP_USE_SG",
    "XDP_ZEROCOPY",
    "close",
    "dup",
    "error",
    "gaierror",
    "getdefaulttimeout",
    "gethostbyaddr",
    "gethostbyname",
    "gethostbyname_ex",
    "gethostname",
    "getnameinfo",
    "getprotobyname",
    "getservbyname",
    "getservbyport",
    "has_ipv6",
    "herror",
    "htonl",
    "htons",
    "if_indextoname",
    "if_nameindex",
    "if_nametoindex",
    "inet_aton",
    "inet_ntoa",
    "inet_ntop",
    "inet_pton",
    "ntohl",
    "ntohs",
    "setdefaulttimeout",
    "sethostname",
    "timeout",
]
if sys.platform != "linux":
    __all__ += [
        "EAI_BADHINTS",
        "EAI_MAX",
        "EAI_PROTOCOL",
        "HVSOCKET_ADDRESS_FLAG_PASSTHRU",
        "HVSOCKET_CONNECTED_SUSPEND",
        "HVSOCKET_CONNECT_TIMEOUT",
        "HVSOCKET_CONNECT_TIMEOUT_MAX",
        "HV_GUID_BROADCAST",
        "HV_GUID_CHILDREN",
        "HV_GUID_LOOPBACK",
        "HV_GUID_PARENT",
        "HV_GUID_WILDCARD",
        "HV_GUID_ZERO",
        "HV_PROTOCOL_RAW",
        "INADDR_CARP_GROUP",
        "INADDR_PFSYNC_GROUP",
        "IPPORT_EPHEMERALFIRST",
        "IPPORT_EPHEMERALLAST",
        "IPPORT_HIFIRSTAUTO",
        "IPPORT_HILASTAUTO",
        "IPPROTO_BIP",
        "IPPROTO_CARP",
        "IPPROTO_CBT",
        "IPPROTO_DIVERT",
        "IPPROTO_EON",
        "IPPROTO_GGP",
        "IPPROTO_HELLO",
        "IPPROTO_ICLFXBM",
        "IPPROTO_IGP",
        "IPPROTO_IPCOMP",
        "IPPROTO_IPV4",
        "IPPROTO_MAX",
        "IPPROTO_MOBILE",
        "IPPROTO_ND",
        "IPPROTO_PFSYNC",
        "IPPROTO_PGM",
        "IPPROTO_RDP",
        "IPPROTO_ST",
        "IPPROTO_VRRP",
        "IPPROTO_XTP",
        "IPV6_BINDANY",
        "IPV6_BOUND_IF",
        "IPV6_ONESBCAST",
        "IPV6_PORTRANGE",
        "IPV6_RECVDSTPORT",
        "IPV6_USE_MIN_MTU",
        "IPX_TYPE",
        "IP_BINDANY",
        "IP_BOUND_IF",
        "IP_DONTFRAG",
        "IP_ONESBCAST",
        "IP_PORTRANGE",
        "IP_PORTRANGE_DEFAULT",
        "IP_PORTRANGE_HIGH",
        "IP_PORTRANGE_LOW",
        "IP_RECVDSTADDR",
        "IP_RECVDSTPORT",
        "IP_RECVIF",
        "IP_RECVPKTINFO",
        "IP_RECVRTABLE",
        "IP_SENDSRCADDR",
        "LOCAL_CONNWAIT",
        "LOCAL_CREDS",
        "LOCAL_CREDS_PERSISTENT",
        "LOCAL_PEERCRED",
        "LOCAL_PEEREID",
        "LOCAL_PEEREPID",
        "LOCAL_PEEREUUID",
        "LOCAL_PEERPID",
        "LOCAL_PEERTOKEN",
        "LOCAL_PEERUUID",
        "NI_NUMERICSCOPE",
        "NI_WITHSCOPEID",
        "PF_DIVERT",
        "PF_SYSTEM",
        "RCVALL_IPLEVEL",
        "RCVALL_MAX",
        "RCVALL_OFF",
        "RCVALL_ON",
        "RCVALL_SOCKETLEVELONLY",
        "RDS_CMSG_RDMA_UPDATE",
        "SCM_BINTIME",
        "SCM_CREDS",
        "SCM_CREDS2",
        "SCM_MONOTONIC",
        "SCM_REALTIME",
        "SCM_TIMESTAMP_MONOTONIC",
        "SCM_TIME_INFO",
        "SIO_KEEPALIVE_VALS",
        "SIO_LOOPBACK_FAST_PATH",
        "SIO_RCVALL",
        "SO_ACCEPTFILTER",
        "SO_BINDANY",
        "SO_BINTIME",
        "SO_BTH_ENCRYPT",
        "SO_BTH_MTU",
        "SO_BTH_MTU_MAX",
        "SO_BTH_MTU_MIN",
        "SO_EXCLUSIVEADDRUSE",
        "SO_HCI_EVT_FILTER",
        "SO_HCI_PKT_FILTER",
        "SO_L2CAP_ENCRYPTED",
        "SO_L2CAP_FLUSH",
        "SO_L2CAP_IMTU",
        "SO_L2CAP_IQOS",
        "SO_L2CAP_LM",
        "SO_L2CAP_OMTU",
        "SO_L2CAP_OQOS",
        "SO_LISTENQLEN",
        "SO_LISTENQLIMIT",
        "SO_NOHEADER",
        "SO_NOSIGPIPE",
        "SO_NREAD",
        "SO_NWRITE",
        "SO_RERROR",
        "SO_REUSEPORT_LB",
        "SO_RFCOMM_FC_INFO",
        "SO_RFCOMM_LM",
        "SO_RFCOMM_MTU",
        "SO_RTABLE",
        "SO_SCO_CONNINFO",
        "SO_SCO_HANDLE",
        "SO_SCO_MTU",
        "SO_SETFIB",
        "SO_SPLICE",
        "SO_TS_CLOCK",
        "SO_USELOOPBACK",
        "SO_USER_COOKIE",
        "SYSPROTO_CONTROL",
        "TCP_CONNECTIONTIMEOUT",
        "TCP_CONNECTION_INFO",
        "TCP_ENABLE_ECN",
        "TCP_FUNCTION_BLK",
        "TCP_KEEPALIVE",
        "TCP_KEEPINIT",
        "TCP_MAXUNACKTIME",
        "TCP_NOOPT",
        "TCP_NOPUSH",
        "TCP_PCAP_IN",
        "TCP_PCAP_OUT",
        "TCP_PERSIST_TIMEOUT",
        "TCP_RXT_CONNDROPTIME",
        "TCP_RXT_FINDROP",
        "TCP_SACK_ENABLE",
        "TCP_SENDMOREACKS",
    ]

class socket(_StdlibSocket):
    __slots__ = ("_sp_fd", "_sp_family", "_sp_type", "_sp_proto", "_sp_errorhandler", "_sp_timeout", "_sp_waits_first")
    def __init__(
        self,
        family: SupportsIndex = -1,
        type: SupportsIndex = -1,
        proto: SupportsIndex = -1,
        fileno: SupportsIndex | None = None,
    ) -> None: ...
    @property
    def family(self) -> int: ...  # type: ignore[override]
    @property
    def type(self) -> int: ...  # type: ignore[override]
    @property
    def proto(self) -> int: ...
    @property
    def timeout(self) -> float | None: ...
    def fileno(self) -> int: ...
    def detach(self) -> int: ...
    def close(self) -> None: ...
    def __del__(self) -> None: ...
    def settimeout(self, value: float | SupportsIndex | None, /) -> None: ...
    def gettimeout(self) -> float | None: ...
    def setblocking(self, flag: object, /) -> None: ...
    def getblocking(self) -> bool: ...
    @overload
    def bind(self, address: _Address, /) -> None: ...
    @overload
    def bind(self, host: _Host, port: SupportsIndex, /) -> None: ...
    @overload
    def connect(self, address: _Address, /) -> None: ...
    @overload
    def connect(self, host: _Host, port: SupportsIndex, /) -> None: ...
    @overload
    def connect_ex(self, address: _Address, /) -> int: ...
    @overload
    def connect_ex(self, host: _Host, port: SupportsIndex, /) -> int: ...
    def listen(self, backlog: SupportsIndex = 128, /) -> None: ...
    def _accept(self) -> tuple[int, Any]: ...
    def shutdown(self, how: SupportsIndex, /) -> None: ...
    def sockatmark(self) -> bool: ...
    def getsockname(self) -> Any: ...
    def getpeername(self) -> Any: ...
    @overload
    def getsockopt(self, level: SupportsIndex, option: SupportsIndex, /) -> int: ...
    @overload
    def getsockopt(self, level: SupportsIndex, option: SupportsIndex, buflen: SupportsIndex, /) -> bytes: ...
    @overload
    def setsockopt(
        self, level: SupportsIndex, option: SupportsIndex, value: SupportsIndex | ReadableBuffer, /
    ) -> None: ...
    @overload
    def setsockopt(
        self, level: SupportsIndex, option: SupportsIndex, value: None, optlen: SupportsIndex, /
    ) -> None: ...
    def recv(self, bufsize: SupportsIndex, flags: SupportsIndex = 0, /) -> bytes: ...
    def recv_into(self, buffer: WriteableBuffer, nbytes: SupportsIndex = 0, flags: SupportsIndex = 0) -> int: ...
    def recvfrom(self, bufsize: SupportsIndex, flags: SupportsIndex = 0, /) -> tuple[bytes, Any]: ...
    def recvfrom_into(
        self, buffer: WriteableBuffer, nbytes: SupportsIndex = 0, flags: SupportsIndex = 0
    ) -> tuple[int, Any]: ...
    def send(self, data: ReadableBuffer, flags: SupportsIndex = 0, /) -> int: ...
    def sendall(self, data: ReadableBuffer, flags: SupportsIndex = 0, /) -> None: ...
    @overload
    def sendto(self, data: ReadableBuffer, address: _Address, /) -> int: ...
    @overload
    def sendto(self, data: ReadableBuffer, flags: SupportsIndex, address: _Address, /) -> int: ...
    def recvmsg(
        self, bufsize: SupportsIndex, ancbufsize: SupportsIndex = 0, flags: SupportsIndex = 0, /
    ) -> tuple[bytes, list[tuple[int, int, bytes]], int, Any]: ...
    def recvmsg_into(
        self, buffers: Iterable[WriteableBuffer], ancbufsize: SupportsIndex = 0, flags: SupportsIndex = 0, /
    ) -> tuple[int, list[tuple[int, int, bytes]], int, Any]: ...
    def sendmsg(
        self,
        buffers: Iterable[ReadableBuffer],
        ancdata: Iterable[tuple[int, int, ReadableBuffer]] = (),
        flags: SupportsIndex = 0,
        address: _Address | None = None,
        /,
    ) -> int: ...
    def sendmsg_afalg(
        self,
        msg: Iterable[ReadableBuffer] = (),
        *,
        op: int = -1,
        iv: ReadableBuffer = ...,
        assoclen: int = ...,
        flags: SupportsIndex = 0,
    ) -> int: ...
    @overload
    def recvmmsg(
        self, count: SupportsIndex, bufsize: SupportsIndex, flags: SupportsIndex = 0, *, ancbufsize: None = None
    ) -> list[tuple[bytes, Any]]: ...
    @overload
    def recvmmsg(
        self, count: SupportsIndex, bufsize: SupportsIndex, flags: SupportsIndex = 0, *, ancbufsize: SupportsIndex
    ) -> list[tuple[bytes, list[tuple[int, int, bytes]], int, Any]]: ...
    @overload
    def recvmmsg_into(
        self, buffers: Iterable[WriteableBuffer], flags: SupportsIndex = 0, *, ancbufsize: None = None
    ) -> list[tuple[int, Any]]: ...
    @overload
    def recvmmsg_into(
        self, buffers: Iterable[WriteableBuffer], flags: SupportsIndex = 0, *, ancbufsize: SupportsIndex
    ) -> list[tuple[int, list[tuple[int, int, bytes]], int, Any]]: ...
    def sendmmsg(self, messages: Iterable[_Message], flags: SupportsIndex = 0) -> int: ...
    def send_segments(
        self,
        data: ReadableBuffer,
        segment_size: SupportsIndex,
        address: _Address | None = None,
        flags: SupportsIndex = 0,
    ) -> int: ...
    def recv_segments(self, bufsize: SupportsIndex = 65535, flags: SupportsIndex = 0) -> tuple[list[bytes], Any]: ...

SocketType = socket
error = OSError
timeout = TimeoutError

def CMSG_LEN(length: SupportsIndex, /) -> int: ...
def CMSG_SPACE(length: SupportsIndex, /) -> int: ...
def close(fd: SupportsIndex, /) -> None: ...
def dup(fd: SupportsIndex, /) -> int: ...
def getaddrinfo(
    host: str | bytes | None,
    port: str | bytes | int | None,
    family: SupportsIndex = 0,
    type: SupportsIndex = 0,
    proto: SupportsIndex = 0,
    flags: SupportsIndex = 0,
) -> list[tuple[int, int, int, str, Any]]: ...
def getdefaulttimeout() -> float | None: ...
def gethostbyaddr(host: str | bytes, /) -> tuple[str, list[str], list[str]]: ...
def gethostbyname(host: str | bytes, /) -> str: ...
def gethostbyname_ex(host: str | bytes, /) -> tuple[str, list[str], list[str]]: ...
def gethostname() -> str: ...
def getnameinfo(
    sockaddr: tuple[str, int] | tuple[str, int, int] | tuple[str, int, int, int], flags: SupportsIndex, /
) -> tuple[str, str]: ...
def getprotobyname(name: str, /) -> int: ...
@overload
def getservbyname(servicename: str, /) -> int: ...
@overload
def getservbyname(servicename: str, protocolname: str, /) -> int: ...
@overload
def getservbyport(port: SupportsIndex, /) -> str: ...
@overload
def getservbyport(port: SupportsIndex, protocolname: str, /) -> str: ...
def htonl(x: SupportsIndex, /) -> int: ...
def htons(x: SupportsIndex, /) -> int: ...
def if_indextoname(index: SupportsIndex, /) -> str: ...
def if_nameindex() -> list[tuple[int, str]]: ...
def if_nametoindex(oname: str | bytes | PathLike[Any], /) -> int: ...
def inet_aton(ip_addr: str, /) -> bytes: ...
def inet_ntoa(packed_ip: ReadableBuffer, /) -> str: ...
def inet_ntop(address_family: SupportsIndex, packed_ip: ReadableBuffer, /) -> str: ...
def inet_pton(address_family: SupportsIndex, ip_string: str, /) -> bytes: ...
def ntohl(x: SupportsIndex, /) -> int: ...
def ntohs(x: SupportsIndex, /) -> int: ...
def setdefaulttimeout(timeout: float | SupportsIndex | None, /) -> None: ...
def sethostname(name: str | bytes, /) -> None: ...
def socketpair(
    family: SupportsIndex = ..., type: SupportsIndex = ..., proto: SupportsIndex = 0, /
) -> tuple[socket, socket]: ...

backend: backends.Backend
core: ModuleType
CAPI: CapsuleType
has_ipv6: bool

BDADDR_ANY: Final[str]
BDADDR_LOCAL: Final[str]
AF_ALG: Final[int]
AF_APPLETALK: Final[int]
AF_ASH: Final[int]
AF_ATMPVC: Final[int]
AF_ATMSVC: Final[int]
AF_AX25: Final[int]
AF_BLUETOOTH: Final[int]
AF_BRIDGE: Final[int]
AF_CAIF: Final[int]
AF_CAN: Final[int]
AF_DECnet: Final[int]
AF_ECONET: Final[int]
AF_IB: Final[int]
AF_IEEE802154: Final[int]
AF_INET: Final[int]
AF_INET6: Final[int]
AF_IPX: Final[int]
AF_IRDA: Final[int]
AF_ISDN: Final[int]
AF_IUCV: Final[int]
AF_KCM: Final[int]
AF_KEY: Final[int]
AF_LLC: Final[int]
AF_MCTP: Final[int]
AF_MPLS: Final[int]
AF_NETBEUI: Final[int]
AF_NETLINK: Final[int]
AF_NETROM: Final[int]
AF_NFC: Final[int]
AF_PACKET: Final[int]
AF_PHONET: Final[int]
AF_PPPOX: Final[int]
AF_QIPCRTR: Final[int]
AF_RDS: Final[int]
AF_ROSE: Final[int]
AF_ROUTE: Final[int]
AF_RXRPC: Final[int]
AF_SECURITY: Final[int]
AF_SMC: Final[int]
AF_SNA: Final[int]
AF_TIPC: Final[int]
AF_UNIX: Final[int]
AF_UNSPEC: Final[int]
AF_VSOCK: Final[int]
AF_WANPIPE: Final[int]
AF_X25: Final[int]
AF_XDP: Final[int]
AI_ADDRCONFIG: Final[int]
AI_ALL: Final[int]
AI_CANONIDN: Final[int]
AI_CANONNAME: Final[int]
AI_IDN: Final[int]
AI_NUMERICHOST: Final[int]
AI_NUMERICSERV: Final[int]
AI_PASSIVE: Final[int]
AI_V4MAPPED: Final[int]
ALG_OP_DECRYPT: Final[int]
ALG_OP_ENCRYPT: Final[int]
ALG_OP_SIGN: Final[int]
ALG_OP_VERIFY: Final[int]
ALG_SET_AEAD_ASSOCLEN: Final[int]
ALG_SET_AEAD_AUTHSIZE: Final[int]
ALG_SET_DRBG_ENTROPY: Final[int]
ALG_SET_IV: Final[int]
ALG_SET_KEY: Final[int]
ALG_SET_KEY_BY_KEY_SERIAL: Final[int]
ALG_SET_OP: Final[int]
ALG_SET_PUBKEY: Final[int]
BDADDR_BREDR: Final[int]
BDADDR_LE_PUBLIC: Final[int]
BDADDR_LE_RANDOM: Final[int]
BTPROTO_AVDTP: Final[int]
BTPROTO_BNEP: Final[int]
BTPROTO_CMTP: Final[int]
BTPROTO_HCI: Final[int]
BTPROTO_HIDP: Final[int]
BTPROTO_ISO: Final[int]
BTPROTO_L2CAP: Final[int]
BTPROTO_RFCOMM: Final[int]
BTPROTO_SCO: Final[int]
BT_CHANNEL_POLICY: Final[int]
BT_CHANNEL_POLICY_BREDR_ONLY: Final[int]
BT_CHANNEL_POLICY_BREDR_PREFERRED: Final[int]
BT_CODEC: Final[int]
BT_DEFER_SETUP: Final[int]
BT_FLUSHABLE: Final[int]
BT_FLUSHABLE_OFF: Final[int]
BT_FLUSHABLE_ON: Final[int]
BT_ISO_QOS: Final[int]
BT_MODE: Final[int]
BT_MODE_BASIC: Final[int]
BT_MODE_ERTM: Final[int]
BT_MODE_EXT_FLOWCTL: Final[int]
BT_MODE_LE_FLOWCTL: Final[int]
BT_MODE_STREAMING: Final[int]
BT_PHY: Final[int]
BT_PHY_BR_1M_1SLOT: Final[int]
BT_PHY_BR_1M_3SLOT: Final[int]
BT_PHY_BR_1M_5SLOT: Final[int]
BT_PHY_EDR_2M_1SLOT: Final[int]
BT_PHY_EDR_2M_3SLOT: Final[int]
BT_PHY_EDR_2M_5SLOT: Final[int]
BT_PHY_EDR_3M_1SLOT: Final[int]
BT_PHY_EDR_3M_3SLOT: Final[int]
BT_PHY_EDR_3M_5SLOT: Final[int]
BT_PHY_LE_1M_RX: Final[int]
BT_PHY_LE_1M_TX: Final[int]
BT_PHY_LE_2M_RX: Final[int]
BT_PHY_LE_2M_TX: Final[int]
BT_PHY_LE_CODED_RX: Final[int]
BT_PHY_LE_CODED_TX: Final[int]
BT_PKT_STATUS: Final[int]
BT_POWER: Final[int]
BT_POWER_FORCE_ACTIVE_OFF: Final[int]
BT_POWER_FORCE_ACTIVE_ON: Final[int]
BT_RCVMTU: Final[int]
BT_SECURITY: Final[int]
BT_SECURITY_FIPS: Final[int]
BT_SECURITY_HIGH: Final[int]
BT_SECURITY_LOW: Final[int]
BT_SECURITY_MEDIUM: Final[int]
BT_SECURITY_SDP: Final[int]
BT_SNDMTU: Final[int]
BT_VOICE: Final[int]
BT_VOICE_CVSD_16BIT: Final[int]
BT_VOICE_TRANSPARENT: Final[int]
BT_VOICE_TRANSPARENT_16BIT: Final[int]
CANFD_BRS: Final[int]
CANFD_ESI: Final[int]
CANFD_FDF: Final[int]
CANFD_MAX_DLC: Final[int]
CANFD_MAX_DLEN: Final[int]
CANFD_MTU: Final[int]
CANXL_MAX_DLEN: Final[int]
CANXL_MIN_DLEN: Final[int]
CANXL_MTU: Final[int]
CANXL_RRS: Final[int]
CANXL_SEC: Final[int]
CANXL_XLF: Final[int]
CAN_BCM: Final[int]
CAN_BCM_CAN_FD_FRAME: Final[int]
CAN_BCM_RX_ANNOUNCE_RESUME: Final[int]
CAN_BCM_RX_CHANGED: Final[int]
CAN_BCM_RX_CHECK_DLC: Final[int]
CAN_BCM_RX_DELETE: Final[int]
CAN_BCM_RX_FILTER_ID: Final[int]
CAN_BCM_RX_NO_AUTOTIMER: Final[int]
CAN_BCM_RX_READ: Final[int]
CAN_BCM_RX_RTR_FRAME: Final[int]
CAN_BCM_RX_SETUP: Final[int]
CAN_BCM_RX_STATUS: Final[int]
CAN_BCM_RX_TIMEOUT: Final[int]
CAN_BCM_SETTIMER: Final[int]
CAN_BCM_STARTTIMER: Final[int]
CAN_BCM_TX_ANNOUNCE: Final[int]
CAN_BCM_TX_COUNTEVT: Final[int]
CAN_BCM_TX_CP_CAN_ID: Final[int]
CAN_BCM_TX_DELETE: Final[int]
CAN_BCM_TX_EXPIRED: Final[int]
CAN_BCM_TX_READ: Final[int]
CAN_BCM_TX_RESET_MULTI_IDX: Final[int]
CAN_BCM_TX_SEND: Final[int]
CAN_BCM_TX_SETUP: Final[int]
CAN_BCM_TX_STATUS: Final[int]
CAN_EFF_FLAG: Final[int]
CAN_EFF_MASK: Final[int]
CAN_ERR_FLAG: Final[int]
CAN_ERR_MASK: Final[int]
CAN_INV_FILTER: Final[int]
CAN_ISOTP: Final[int]
CAN_ISOTP_CF_BROADCAST: Final[int]
CAN_ISOTP_CHK_PAD_DATA: Final[int]
CAN_ISOTP_CHK_PAD_LEN: Final[int]
CAN_ISOTP_DEFAULT_EXT_ADDRESS: Final[int]
CAN_ISOTP_DEFAULT_FLAGS: Final[int]
CAN_ISOTP_DEFAULT_FRAME_TXTIME: Final[int]
CAN_ISOTP_DEFAULT_LL_MTU: Final[int]
CAN_ISOTP_DEFAULT_LL_TX_DL: Final[int]
CAN_ISOTP_DEFAULT_LL_TX_FLAGS: Final[int]
CAN_ISOTP_DEFAULT_PAD_CONTENT: Final[int]
CAN_ISOTP_DEFAULT_RECV_BS: Final[int]
CAN_ISOTP_DEFAULT_RECV_STMIN: Final[int]
CAN_ISOTP_DEFAULT_RECV_WFTMAX: Final[int]
CAN_ISOTP_DYN_FC_PARMS: Final[int]
CAN_ISOTP_EXTEND_ADDR: Final[int]
CAN_ISOTP_FORCE_RXSTMIN: Final[int]
CAN_ISOTP_FORCE_TXSTMIN: Final[int]
CAN_ISOTP_FRAME_TXTIME_ZERO: Final[int]
CAN_ISOTP_HALF_DUPLEX: Final[int]
CAN_ISOTP_LISTEN_MODE: Final[int]
CAN_ISOTP_LL_OPTS: Final[int]
CAN_ISOTP_OPTS: Final[int]
CAN_ISOTP_RECV_FC: Final[int]
CAN_ISOTP_RX_EXT_ADDR: Final[int]
CAN_ISOTP_RX_PADDING: Final[int]
CAN_ISOTP_RX_STMIN: Final[int]
CAN_ISOTP_SF_BROADCAST: Final[int]
CAN_ISOTP_TX_PADDING: Final[int]
CAN_ISOTP_TX_STMIN: Final[int]
CAN_ISOTP_WAIT_TX_DONE: Final[int]
CAN_J1939: Final[int]
CAN_MAX_DLC: Final[int]
CAN_MAX_DLEN: Final[int]
CAN_MCNET: Final[int]
CAN_MTU: Final[int]
CAN_RAW: Final[int]
CAN_RAW_ERR_FILTER: Final[int]
CAN_RAW_FD_FRAMES: Final[int]
CAN_RAW_FILTER: Final[int]
CAN_RAW_FILTER_MAX: Final[int]
CAN_RAW_JOIN_FILTERS: Final[int]
CAN_RAW_LOOPBACK: Final[int]
CAN_RAW_RECV_OWN_MSGS: Final[int]
CAN_RAW_XL_FRAMES: Final[int]
CAN_RAW_XL_VCID_OPTS: Final[int]
CAN_RAW_XL_VCID_RX_FILTER: Final[int]
CAN_RAW_XL_VCID_TX_PASS: Final[int]
CAN_RAW_XL_VCID_TX_SET: Final[int]
CAN_RTR_FLAG: Final[int]
CAN_SFF_MASK: Final[int]
CAN_TP16: Final[int]
CAN_TP20: Final[int]
DCCP_SOCKOPT_SERVICE: Final[int]
EAI_ADDRFAMILY: Final[int]
EAI_AGAIN: Final[int]
EAI_ALLDONE: Final[int]
EAI_BADFLAGS: Final[int]
EAI_CANCELED: Final[int]
EAI_FAIL: Final[int]
EAI_FAMILY: Final[int]
EAI_IDN_ENCODE: Final[int]
EAI_INPROGRESS: Final[int]
EAI_INTR: Final[int]
EAI_MEMORY: Final[int]
EAI_NODATA: Final[int]
EAI_NONAME: Final[int]
EAI_NOTCANCELED: Final[int]
EAI_OVERFLOW: Final[int]
EAI_SERVICE: Final[int]
EAI_SOCKTYPE: Final[int]
EAI_SYSTEM: Final[int]
ETHERTYPE_AARP: Final[int]
ETHERTYPE_ARP: Final[int]
ETHERTYPE_AT: Final[int]
ETHERTYPE_IP: Final[int]
ETHERTYPE_IPV6: Final[int]
ETHERTYPE_IPX: Final[int]
ETHERTYPE_LOOPBACK: Final[int]
ETHERTYPE_PUP: Final[int]
ETHERTYPE_REVARP: Final[int]
ETHERTYPE_SPRITE: Final[int]
ETHERTYPE_TRAIL: Final[int]
ETHERTYPE_VLAN: Final[int]
ETH_ALEN: Final[int]
ETH_DATA_LEN: Final[int]
ETH_FCS_LEN: Final[int]
ETH_FRAME_LEN: Final[int]
ETH_HLEN: Final[int]
ETH_MAX_MTU: Final[int]
ETH_MIN_MTU: Final[int]
ETH_P_1588: Final[int]
ETH_P_8021AD: Final[int]
ETH_P_8021AH: Final[int]
ETH_P_8021Q: Final[int]
ETH_P_80221: Final[int]
ETH_P_802_2: Final[int]
ETH_P_802_3: Final[int]
ETH_P_802_3_MIN: Final[int]
ETH_P_AARP: Final[int]
ETH_P_ALL: Final[int]
ETH_P_AOE: Final[int]
ETH_P_ARP: Final[int]
ETH_P_ATALK: Final[int]
ETH_P_AX25: Final[int]
ETH_P_BATMAN: Final[int]
ETH_P_CAN: Final[int]
ETH_P_CANFD: Final[int]
ETH_P_CANXL: Final[int]
ETH_P_CFM: Final[int]
ETH_P_DSA: Final[int]
ETH_P_ERSPAN: Final[int]
ETH_P_ERSPAN2: Final[int]
ETH_P_ETHERCAT: Final[int]
ETH_P_FCOE: Final[int]
ETH_P_FIP: Final[int]
ETH_P_HSR: Final[int]
ETH_P_IBOE: Final[int]
ETH_P_IEEE802154: Final[int]
ETH_P_IP: Final[int]
ETH_P_IPV6: Final[int]
ETH_P_IPX: Final[int]
ETH_P_LINK_CTL: Final[int]
ETH_P_LLDP: Final[int]
ETH_P_LOOP: Final[int]
ETH_P_LOOPBACK: Final[int]
ETH_P_MACSEC: Final[int]
ETH_P_MAP: Final[int]
ETH_P_MCTP: Final[int]
ETH_P_MPLS_MC: Final[int]
ETH_P_MPLS_UC: Final[int]
ETH_P_MRP: Final[int]
ETH_P_MVRP: Final[int]
ETH_P_NCSI: Final[int]
ETH_P_NSH: Final[int]
ETH_P_PAE: Final[int]
ETH_P_PAUSE: Final[int]
ETH_P_PHONET: Final[int]
ETH_P_PPP_DISC: Final[int]
ETH_P_PPP_SES: Final[int]
ETH_P_PREAUTH: Final[int]
ETH_P_PROFINET: Final[int]
ETH_P_PRP: Final[int]
ETH_P_PUP: Final[int]
ETH_P_RARP: Final[int]
ETH_P_SLOW: Final[int]
ETH_P_SNAP: Final[int]
ETH_P_TEB: Final[int]
ETH_P_TIPC: Final[int]
ETH_P_TSN: Final[int]
ETH_P_X25: Final[int]
ETH_ZLEN: Final[int]
FD_SETSIZE: Final[int]
FIOASYNC: Final[int]
FIOGETOWN: Final[int]
FIONBIO: Final[int]
FIONREAD: Final[int]
FIOSETOWN: Final[int]
HCI_CHANNEL_CONTROL: Final[int]
HCI_CHANNEL_LOGGING: Final[int]
HCI_CHANNEL_MONITOR: Final[int]
HCI_CHANNEL_RAW: Final[int]
HCI_CHANNEL_USER: Final[int]
HCI_DATA_DIR: Final[int]
HCI_DEV_NONE: Final[int]
HCI_FILTER: Final[int]
HCI_TIME_STAMP: Final[int]
HOST_NOT_FOUND: Final[int]
HWTSTAMP_FILTER_ALL: Final[int]
HWTSTAMP_FILTER_NONE: Final[int]
HWTSTAMP_FILTER_NTP_ALL: Final[int]
HWTSTAMP_FILTER_PTP_V2_DELAY_REQ: Final[int]
HWTSTAMP_FILTER_PTP_V2_EVENT: Final[int]
HWTSTAMP_FILTER_PTP_V2_SYNC: Final[int]
HWTSTAMP_TX_OFF: Final[int]
HWTSTAMP_TX_ON: Final[int]
HWTSTAMP_TX_ONESTEP_P2P: Final[int]
HWTSTAMP_TX_ONESTEP_SYNC: Final[int]
ICMP6_FILTER: Final[int]
ICMPV6_FILTER: Final[int]
ICMP_FILTER: Final[int]
IFF_ALLMULTI: Final[int]
IFF_AUTOMEDIA: Final[int]
IFF_BROADCAST: Final[int]
IFF_DEBUG: Final[int]
IFF_DORMANT: Final[int]
IFF_DYNAMIC: Final[int]
IFF_ECHO: Final[int]
IFF_LOOPBACK: Final[int]
IFF_LOWER_UP: Final[int]
IFF_MASTER: Final[int]
IFF_MULTICAST: Final[int]
IFF_NOARP: Final[int]
IFF_NOTRAILERS: Final[int]
IFF_POINTOPOINT: Final[int]
IFF_PORTSEL: Final[int]
IFF_PROMISC: Final[int]
IFF_RUNNING: Final[int]
IFF_SLAVE: Final[int]
IFF_UP: Final[int]
IFNAMSIZ: Final[int]
IF_NAMESIZE: Final[int]
INADDR_ALLHOSTS_GROUP: Final[int]
INADDR_ALLRTRS_GROUP: Final[int]
INADDR_ALLSNOOPERS_GROUP: Final[int]
INADDR_ANY: Final[int]
INADDR_BROADCAST: Final[int]
INADDR_DUMMY: Final[int]
INADDR_LOOPBACK: Final[int]
INADDR_MAX_LOCAL_GROUP: Final[int]
INADDR_NONE: Final[int]
INADDR_UNSPEC_GROUP: Final[int]
INET6_ADDRSTRLEN: Final[int]
INET_ADDRSTRLEN: Final[int]
IN_LOOPBACKNET: Final[int]
IOCTL_VM_SOCKETS_GET_LOCAL_CID: Final[int]
IP6T_SO_ORIGINAL_DST: Final[int]
IPPORT_RESERVED: Final[int]
IPPORT_USERRESERVED: Final[int]
IPPROTO_AGGFRAG: Final[int]
IPPROTO_AH: Final[int]
IPPROTO_BEETPH: Final[int]
IPPROTO_COMP: Final[int]
IPPROTO_DCCP: Final[int]
IPPROTO_DSTOPTS: Final[int]
IPPROTO_EGP: Final[int]
IPPROTO_ENCAP: Final[int]
IPPROTO_ESP: Final[int]
IPPROTO_ETHERNET: Final[int]
IPPROTO_FRAGMENT: Final[int]
IPPROTO_GRE: Final[int]
IPPROTO_HOPOPTS: Final[int]
IPPROTO_ICMP: Final[int]
IPPROTO_ICMPV6: Final[int]
IPPROTO_IDP: Final[int]
IPPROTO_IGMP: Final[int]
IPPROTO_IP: Final[int]
IPPROTO_IPIP: Final[int]
IPPROTO_IPV6: Final[int]
IPPROTO_L2TP: Final[int]
IPPROTO_MH: Final[int]
IPPROTO_MPLS: Final[int]
IPPROTO_MPTCP: Final[int]
IPPROTO_MTP: Final[int]
IPPROTO_NONE: Final[int]
IPPROTO_PIM: Final[int]
IPPROTO_PUP: Final[int]
IPPROTO_RAW: Final[int]
IPPROTO_ROUTING: Final[int]
IPPROTO_RSVP: Final[int]
IPPROTO_SCTP: Final[int]
IPPROTO_SMC: Final[int]
IPPROTO_TCP: Final[int]
IPPROTO_TP: Final[int]
IPPROTO_UDP: Final[int]
IPPROTO_UDPLITE: Final[int]
IPTOS_CLASS_CS0: Final[int]
IPTOS_CLASS_CS1: Final[int]
IPTOS_CLASS_CS2: Final[int]
IPTOS_CLASS_CS3: Final[int]
IPTOS_CLASS_CS4: Final[int]
IPTOS_CLASS_CS5: Final[int]
IPTOS_CLASS_CS6: Final[int]
IPTOS_CLASS_CS7: Final[int]
IPTOS_DSCP_AF11: Final[int]
IPTOS_DSCP_AF12: Final[int]
IPTOS_DSCP_AF13: Final[int]
IPTOS_DSCP_AF21: Final[int]
IPTOS_DSCP_AF22: Final[int]
IPTOS_DSCP_AF23: Final[int]
IPTOS_DSCP_AF31: Final[int]
IPTOS_DSCP_AF32: Final[int]
IPTOS_DSCP_AF33: Final[int]
IPTOS_DSCP_AF41: Final[int]
IPTOS_DSCP_AF42: Final[int]
IPTOS_DSCP_AF43: Final[int]
IPTOS_DSCP_EF: Final[int]
IPTOS_DSCP_LE: Final[int]
IPTOS_DSCP_MASK: Final[int]
IPTOS_DSCP_VA: Final[int]
IPTOS_ECN_CE: Final[int]
IPTOS_ECN_ECT0: Final[int]
IPTOS_ECN_ECT1: Final[int]
IPTOS_ECN_MASK: Final[int]
IPTOS_ECN_NOT_ECT: Final[int]
IPTOS_LOWCOST: Final[int]
IPTOS_LOWDELAY: Final[int]
IPTOS_MINCOST: Final[int]
IPTOS_RELIABILITY: Final[int]
IPTOS_THROUGHPUT: Final[int]
IPTOS_TOS_MASK: Final[int]
IPV6_2292DSTOPTS: Final[int]
IPV6_2292HOPLIMIT: Final[int]
IPV6_2292HOPOPTS: Final[int]
IPV6_2292PKTINFO: Final[int]
IPV6_2292PKTOPTIONS: Final[int]
IPV6_2292RTHDR: Final[int]
IPV6_ADDRFORM: Final[int]
IPV6_ADDR_PREFERENCES: Final[int]
IPV6_ADD_MEMBERSHIP: Final[int]
IPV6_AUTHHDR: Final[int]
IPV6_AUTOFLOWLABEL: Final[int]
IPV6_CHECKSUM: Final[int]
IPV6_DONTFRAG: Final[int]
IPV6_DROP_MEMBERSHIP: Final[int]
IPV6_DSTOPTS: Final[int]
IPV6_FLOWINFO: Final[int]
IPV6_FLOWINFO_FLOWLABEL: Final[int]
IPV6_FLOWINFO_PRIORITY: Final[int]
IPV6_FLOWINFO_SEND: Final[int]
IPV6_FLOWLABEL_MGR: Final[int]
IPV6_FL_A_GET: Final[int]
IPV6_FL_A_PUT: Final[int]
IPV6_FL_A_RENEW: Final[int]
IPV6_FL_F_CREATE: Final[int]
IPV6_FL_F_EXCL: Final[int]
IPV6_FL_F_REFLECT: Final[int]
IPV6_FL_F_REMOTE: Final[int]
IPV6_FL_S_ANY: Final[int]
IPV6_FL_S_EXCL: Final[int]
IPV6_FL_S_NONE: Final[int]
IPV6_FL_S_PROCESS: Final[int]
IPV6_FL_S_USER: Final[int]
IPV6_FREEBIND: Final[int]
IPV6_HDRINCL: Final[int]
IPV6_HOPLIMIT: Final[int]
IPV6_HOPOPTS: Final[int]
IPV6_IPSEC_POLICY: Final[int]
IPV6_JOIN_ANYCAST: Final[int]
IPV6_JOIN_GROUP: Final[int]
IPV6_LEAVE_ANYCAST: Final[int]
IPV6_LEAVE_GROUP: Final[int]
IPV6_MINHOPCOUNT: Final[int]
IPV6_MTU: Final[int]
IPV6_MTU_DISCOVER: Final[int]
IPV6_MULTICAST_ALL: Final[int]
IPV6_MULTICAST_HOPS: Final[int]
IPV6_MULTICAST_IF: Final[int]
IPV6_MULTICAST_LOOP: Final[int]
IPV6_NEXTHOP: Final[int]
IPV6_ORIGDSTADDR: Final[int]
IPV6_PATHMTU: Final[int]
IPV6_PKTINFO: Final[int]
IPV6_PMTUDISC_DO: Final[int]
IPV6_PMTUDISC_DONT: Final[int]
IPV6_PMTUDISC_INTERFACE: Final[int]
IPV6_PMTUDISC_OMIT: Final[int]
IPV6_PMTUDISC_PROBE: Final[int]
IPV6_PMTUDISC_WANT: Final[int]
IPV6_PREFER_SRC_CGA: Final[int]
IPV6_PREFER_SRC_COA: Final[int]
IPV6_PREFER_SRC_HOME: Final[int]
IPV6_PREFER_SRC_NONCGA: Final[int]
IPV6_PREFER_SRC_PUBLIC: Final[int]
IPV6_PREFER_SRC_PUBTMP_DEFAULT: Final[int]
IPV6_PREFER_SRC_TMP: Final[int]
IPV6_RECVDSTOPTS: Final[int]
IPV6_RECVERR: Final[int]
IPV6_RECVERR_RFC4884: Final[int]
IPV6_RECVFRAGSIZE: Final[int]
IPV6_RECVHOPLIMIT: Final[int]
IPV6_RECVHOPOPTS: Final[int]
IPV6_RECVORIGDSTADDR: Final[int]
IPV6_RECVPATHMTU: Final[int]
IPV6_RECVPKTINFO: Final[int]
IPV6_RECVRTHDR: Final[int]
IPV6_RECVTCLASS: Final[int]
IPV6_ROUTER_ALERT: Final[int]
IPV6_ROUTER_ALERT_ISOLATE: Final[int]
IPV6_RTHDR: Final[int]
IPV6_RTHDRDSTOPTS: Final[int]
IPV6_RTHDR_LOOSE: Final[int]
IPV6_RTHDR_STRICT: Final[int]
IPV6_RTHDR_TYPE_0: Final[int]
IPV6_TCLASS: Final[int]
IPV6_TRANSPARENT: Final[int]
IPV6_UNICAST_HOPS: Final[int]
IPV6_UNICAST_IF: Final[int]
IPV6_V6ONLY: Final[int]
IPV6_XFRM_POLICY: Final[int]
IP_ADD_MEMBERSHIP: Final[int]
IP_ADD_SOURCE_MEMBERSHIP: Final[int]
IP_BIND_ADDRESS_NO_PORT: Final[int]
IP_BLOCK_SOURCE: Final[int]
IP_CHECKSUM: Final[int]
IP_DEFAULT_MULTICAST_LOOP: Final[int]
IP_DEFAULT_MULTICAST_TTL: Final[int]
IP_DROP_MEMBERSHIP: Final[int]
IP_DROP_SOURCE_MEMBERSHIP: Final[int]
IP_FREEBIND: Final[int]
IP_HDRINCL: Final[int]
IP_IPSEC_POLICY: Final[int]
IP_LOCAL_PORT_RANGE: Final[int]
IP_MAX_MEMBERSHIPS: Final[int]
IP_MINTTL: Final[int]
IP_MSFILTER: Final[int]
IP_MTU: Final[int]
IP_MTU_DISCOVER: Final[int]
IP_MULTICAST_ALL: Final[int]
IP_MULTICAST_IF: Final[int]
IP_MULTICAST_LOOP: Final[int]
IP_MULTICAST_TTL: Final[int]
IP_NODEFRAG: Final[int]
IP_OPTIONS: Final[int]
IP_ORIGDSTADDR: Final[int]
IP_PASSSEC: Final[int]
IP_PKTINFO: Final[int]
IP_PKTOPTIONS: Final[int]
IP_PMTUDISC_DO: Final[int]
IP_PMTUDISC_DONT: Final[int]
IP_PMTUDISC_INTERFACE: Final[int]
IP_PMTUDISC_OMIT: Final[int]
IP_PMTUDISC_PROBE: Final[int]
IP_PMTUDISC_WANT: Final[int]
IP_PROTOCOL: Final[int]
IP_RECVERR: Final[int]
IP_RECVERR_RFC4884: Final[int]
IP_RECVFRAGSIZE: Final[int]
IP_RECVOPTS: Final[int]
IP_RECVORIGDSTADDR: Final[int]
IP_RECVRETOPTS: Final[int]
IP_RECVTOS: Final[int]
IP_RECVTTL: Final[int]
IP_RETOPTS: Final[int]
IP_ROUTER_ALERT: Final[int]
IP_TOS: Final[int]
IP_TRANSPARENT: Final[int]
IP_TTL: Final[int]
IP_UNBLOCK_SOURCE: Final[int]
IP_UNICAST_IF: Final[int]
IP_XFRM_POLICY: Final[int]
J1939_EE_INFO_NONE: Final[int]
J1939_EE_INFO_RX_ABORT: Final[int]
J1939_EE_INFO_RX_DPO: Final[int]
J1939_EE_INFO_RX_RTS: Final[int]
J1939_EE_INFO_TX_ABORT: Final[int]
J1939_FILTER_MAX: Final[int]
J1939_IDLE_ADDR: Final[int]
J1939_MAX_UNICAST_ADDR: Final[int]
J1939_NLA_BYTES_ACKED: Final[int]
J1939_NLA_DEST_ADDR: Final[int]
J1939_NLA_DEST_NAME: Final[int]
J1939_NLA_PAD: Final[int]
J1939_NLA_PGN: Final[int]
J1939_NLA_SRC_ADDR: Final[int]
J1939_NLA_SRC_NAME: Final[int]
J1939_NLA_TOTAL_SIZE: Final[int]
J1939_NO_ADDR: Final[int]
J1939_NO_NAME: Final[int]
J1939_NO_PGN: Final[int]
J1939_PGN_ADDRESS_CLAIMED: Final[int]
J1939_PGN_ADDRESS_COMMANDED: Final[int]
J1939_PGN_MAX: Final[int]
J1939_PGN_PDU1_MAX: Final[int]
J1939_PGN_REQUEST: Final[int]
KCMPROTO_CONNECTED: Final[int]
KCM_RECV_DISABLE: Final[int]
L2CAP_CONNINFO: Final[int]
L2CAP_LM: Final[int]
L2CAP_LM_AUTH: Final[int]
L2CAP_LM_ENCRYPT: Final[int]
L2CAP_LM_FIPS: Final[int]
L2CAP_LM_MASTER: Final[int]
L2CAP_LM_RELIABLE: Final[int]
L2CAP_LM_SECURE: Final[int]
L2CAP_LM_TRUSTED: Final[int]
L2CAP_OPTIONS: Final[int]
LLC_OPT_ACK_TMR_EXP: Final[int]
LLC_OPT_BUSY_TMR_EXP: Final[int]
LLC_OPT_PKTINFO: Final[int]
LLC_OPT_P_TMR_EXP: Final[int]
LLC_OPT_REJ_TMR_EXP: Final[int]
LLC_OPT_RETRY: Final[int]
LLC_OPT_RX_WIN: Final[int]
LLC_OPT_SIZE: Final[int]
LLC_OPT_TX_WIN: Final[int]
MCAST_BLOCK_SOURCE: Final[int]
MCAST_EXCLUDE: Final[int]
MCAST_INCLUDE: Final[int]
MCAST_JOIN_GROUP: Final[int]
MCAST_JOIN_SOURCE_GROUP: Final[int]
MCAST_LEAVE_GROUP: Final[int]
MCAST_LEAVE_SOURCE_GROUP: Final[int]
MCAST_MSFILTER: Final[int]
MCAST_UNBLOCK_SOURCE: Final[int]
MCTP_ADDR_ANY: Final[int]
MCTP_ADDR_NULL: Final[int]
MCTP_NET_ANY: Final[int]
MCTP_OPT_ADDR_EXT: Final[int]
MCTP_TAG_MASK: Final[int]
MCTP_TAG_OWNER: Final[int]
MCTP_TAG_PREALLOC: Final[int]
MPTCP_FULL_INFO: Final[int]
MPTCP_INFO: Final[int]
MPTCP_INFO_FLAG_FALLBACK: Final[int]
MPTCP_INFO_FLAG_REMOTE_KEY_RECEIVED: Final[int]
MPTCP_SUBFLOW_ADDRS: Final[int]
MPTCP_TCPINFO: Final[int]
MSG_BATCH: Final[int]
MSG_CMSG_CLOEXEC: Final[int]
MSG_CONFIRM: Final[int]
MSG_CTRUNC: Final[int]
MSG_DONTROUTE: Final[int]
MSG_DONTWAIT: Final[int]
MSG_EOR: Final[int]
MSG_ERRQUEUE: Final[int]
MSG_FASTOPEN: Final[int]
MSG_FIN: Final[int]
MSG_MORE: Final[int]
MSG_NOSIGNAL: Final[int]
MSG_NOTIFICATION: Final[int]
MSG_OOB: Final[int]
MSG_PEEK: Final[int]
MSG_PROBE: Final[int]
MSG_RST: Final[int]
MSG_SOCK_DEVMEM: Final[int]
MSG_SYN: Final[int]
MSG_TRUNC: Final[int]
MSG_WAITALL: Final[int]
MSG_WAITFORONE: Final[int]
MSG_ZEROCOPY: Final[int]
NETLINK_ADD_MEMBERSHIP: Final[int]
NETLINK_AUDIT: Final[int]
NETLINK_BROADCAST_ERROR: Final[int]
NETLINK_CAP_ACK: Final[int]
NETLINK_CONNECTOR: Final[int]
NETLINK_CRYPTO: Final[int]
NETLINK_DNRTMSG: Final[int]
NETLINK_DROP_MEMBERSHIP: Final[int]
NETLINK_ECRYPTFS: Final[int]
NETLINK_EXT_ACK: Final[int]
NETLINK_FIB_LOOKUP: Final[int]
NETLINK_FIREWALL: Final[int]
NETLINK_GENERIC: Final[int]
NETLINK_GET_STRICT_CHK: Final[int]
NETLINK_INET_DIAG: Final[int]
NETLINK_IP6_FW: Final[int]
NETLINK_ISCSI: Final[int]
NETLINK_KOBJECT_UEVENT: Final[int]
NETLINK_LISTEN_ALL_NSID: Final[int]
NETLINK_LIST_MEMBERSHIPS: Final[int]
NETLINK_NETFILTER: Final[int]
NETLINK_NFLOG: Final[int]
NETLINK_NO_ENOBUFS: Final[int]
NETLINK_PKTINFO: Final[int]
NETLINK_RDMA: Final[int]
NETLINK_ROUTE: Final[int]
NETLINK_RX_RING: Final[int]
NETLINK_SCSITRANSPORT: Final[int]
NETLINK_SELINUX: Final[int]
NETLINK_SMC: Final[int]
NETLINK_SOCK_DIAG: Final[int]
NETLINK_TX_RING: Final[int]
NETLINK_UNUSED: Final[int]
NETLINK_USERSOCK: Final[int]
NETLINK_XFRM: Final[int]
NI_DGRAM: Final[int]
NI_IDN: Final[int]
NI_MAXHOST: Final[int]
NI_MAXSERV: Final[int]
NI_NAMEREQD: Final[int]
NI_NOFQDN: Final[int]
NI_NUMERICHOST: Final[int]
NI_NUMERICSERV: Final[int]
NLA_ALIGNTO: Final[int]
NLA_F_NESTED: Final[int]
NLA_F_NET_BYTEORDER: Final[int]
NLA_TYPE_MASK: Final[int]
NLMSG_ALIGNTO: Final[int]
NLMSG_DONE: Final[int]
NLMSG_ERROR: Final[int]
NLMSG_MIN_TYPE: Final[int]
NLMSG_NOOP: Final[int]
NLMSG_OVERRUN: Final[int]
NLM_F_ACK: Final[int]
NLM_F_ACK_TLVS: Final[int]
NLM_F_APPEND: Final[int]
NLM_F_ATOMIC: Final[int]
NLM_F_BULK: Final[int]
NLM_F_CAPPED: Final[int]
NLM_F_CREATE: Final[int]
NLM_F_DUMP: Final[int]
NLM_F_DUMP_FILTERED: Final[int]
NLM_F_DUMP_INTR: Final[int]
NLM_F_ECHO: Final[int]
NLM_F_EXCL: Final[int]
NLM_F_MATCH: Final[int]
NLM_F_MULTI: Final[int]
NLM_F_NONREC: Final[int]
NLM_F_REPLACE: Final[int]
NLM_F_REQUEST: Final[int]
NLM_F_ROOT: Final[int]
NO_ADDRESS: Final[int]
NO_DATA: Final[int]
NO_RECOVERY: Final[int]
PACKET_ADD_MEMBERSHIP: Final[int]
PACKET_AUXDATA: Final[int]
PACKET_BROADCAST: Final[int]
PACKET_COPY_THRESH: Final[int]
PACKET_DROP_MEMBERSHIP: Final[int]
PACKET_FANOUT: Final[int]
PACKET_FANOUT_CBPF: Final[int]
PACKET_FANOUT_CPU: Final[int]
PACKET_FANOUT_DATA: Final[int]
PACKET_FANOUT_EBPF: Final[int]
PACKET_FANOUT_FLAG_DEFRAG: Final[int]
PACKET_FANOUT_FLAG_IGNORE_OUTGOING: Final[int]
PACKET_FANOUT_FLAG_ROLLOVER: Final[int]
PACKET_FANOUT_FLAG_UNIQUEID: Final[int]
PACKET_FANOUT_HASH: Final[int]
PACKET_FANOUT_LB: Final[int]
PACKET_FANOUT_QM: Final[int]
PACKET_FANOUT_RND: Final[int]
PACKET_FANOUT_ROLLOVER: Final[int]
PACKET_FASTROUTE: Final[int]
PACKET_HDRLEN: Final[int]
PACKET_HOST: Final[int]
PACKET_IGNORE_OUTGOING: Final[int]
PACKET_LOOPBACK: Final[int]
PACKET_LOSS: Final[int]
PACKET_MR_ALLMULTI: Final[int]
PACKET_MR_MULTICAST: Final[int]
PACKET_MR_PROMISC: Final[int]
PACKET_MR_UNICAST: Final[int]
PACKET_MULTICAST: Final[int]
PACKET_ORIGDEV: Final[int]
PACKET_OTHERHOST: Final[int]
PACKET_OUTGOING: Final[int]
PACKET_QDISC_BYPASS: Final[int]
PACKET_RECV_OUTPUT: Final[int]
PACKET_RESERVE: Final[int]
PACKET_ROLLOVER_STATS: Final[int]
PACKET_RX_RING: Final[int]
PACKET_STATISTICS: Final[int]
PACKET_TIMESTAMP: Final[int]
PACKET_TX_HAS_OFF: Final[int]
PACKET_TX_RING: Final[int]
PACKET_TX_TIMESTAMP: Final[int]
PACKET_VERSION: Final[int]
PACKET_VNET_HDR: Final[int]
PACKET_VNET_HDR_SZ: Final[int]
PF_ALG: Final[int]
PF_APPLETALK: Final[int]
PF_ATMPVC: Final[int]
PF_ATMSVC: Final[int]
PF_AX25: Final[int]
PF_BLUETOOTH: Final[int]
PF_BRIDGE: Final[int]
PF_CAIF: Final[int]
PF_CAN: Final[int]
PF_IB: Final[int]
PF_IEEE802154: Final[int]
PF_INET: Final[int]
PF_INET6: Final[int]
PF_IPX: Final[int]
PF_ISDN: Final[int]
PF_IUCV: Final[int]
PF_KCM: Final[int]
PF_KEY: Final[int]
PF_LLC: Final[int]
PF_LOCAL: Final[int]
PF_MCTP: Final[int]
PF_MPLS: Final[int]
PF_NETLINK: Final[int]
PF_NETROM: Final[int]
PF_NFC: Final[int]
PF_PACKET: Final[int]
PF_PHONET: Final[int]
PF_PPPOX: Final[int]
PF_QIPCRTR: Final[int]
PF_RDS: Final[int]
PF_ROSE: Final[int]
PF_ROUTE: Final[int]
PF_RXRPC: Final[int]
PF_SMC: Final[int]
PF_TIPC: Final[int]
PF_UNIX: Final[int]
PF_UNSPEC: Final[int]
PF_VSOCK: Final[int]
PF_X25: Final[int]
PF_XDP: Final[int]
POLLERR: Final[int]
POLLHUP: Final[int]
POLLIN: Final[int]
POLLMSG: Final[int]
POLLNVAL: Final[int]
POLLOUT: Final[int]
POLLPRI: Final[int]
POLLRDBAND: Final[int]
POLLRDHUP: Final[int]
POLLRDNORM: Final[int]
POLLWRBAND: Final[int]
POLLWRNORM: Final[int]
QRTR_NODE_BCAST: Final[int]
QRTR_PORT_CTRL: Final[int]
RDS_CANCEL_SENT_TO: Final[int]
RDS_CMSG_ATOMIC_CSWP: Final[int]
RDS_CMSG_ATOMIC_FADD: Final[int]
RDS_CMSG_CONG_UPDATE: Final[int]
RDS_CMSG_MASKED_ATOMIC_CSWP: Final[int]
RDS_CMSG_MASKED_ATOMIC_FADD: Final[int]
RDS_CMSG_RDMA_ARGS: Final[int]
RDS_CMSG_RDMA_DEST: Final[int]
RDS_CMSG_RDMA_MAP: Final[int]
RDS_CMSG_RDMA_STATUS: Final[int]
RDS_CMSG_RXPATH_LATENCY: Final[int]
RDS_CMSG_ZCOPY_COMPLETION: Final[int]
RDS_CMSG_ZCOPY_COOKIE: Final[int]
RDS_CONG_MONITOR: Final[int]
RDS_FREE_MR: Final[int]
RDS_GET_MR: Final[int]
RDS_GET_MR_FOR_DEST: Final[int]
RDS_RDMA_DONTWAIT: Final[int]
RDS_RDMA_FENCE: Final[int]
RDS_RDMA_INVALIDATE: Final[int]
RDS_RDMA_NOTIFY_ME: Final[int]
RDS_RDMA_READWRITE: Final[int]
RDS_RDMA_SILENT: Final[int]
RDS_RDMA_USE_ONCE: Final[int]
RDS_RECVERR: Final[int]
RDS_TRANS_IB: Final[int]
RDS_TRANS_NONE: Final[int]
RDS_TRANS_TCP: Final[int]
RFCOMM_CONNINFO: Final[int]
RFCOMM_LM: Final[int]
RFCOMM_LM_AUTH: Final[int]
RFCOMM_LM_ENCRYPT: Final[int]
RFCOMM_LM_FIPS: Final[int]
RFCOMM_LM_MASTER: Final[int]
RFCOMM_LM_RELIABLE: Final[int]
RFCOMM_LM_SECURE: Final[int]
RFCOMM_LM_TRUSTED: Final[int]
SCM_CAN_RAW_ERRQUEUE: Final[int]
SCM_CREDENTIALS: Final[int]
SCM_DEVMEM_DMABUF: Final[int]
SCM_DEVMEM_LINEAR: Final[int]
SCM_INQ: Final[int]
SCM_J1939_DEST_ADDR: Final[int]
SCM_J1939_DEST_NAME: Final[int]
SCM_J1939_ERRQUEUE: Final[int]
SCM_J1939_PRIO: Final[int]
SCM_PIDFD: Final[int]
SCM_RIGHTS: Final[int]
SCM_SECURITY: Final[int]
SCM_TIMESTAMP: Final[int]
SCM_TIMESTAMPING: Final[int]
SCM_TIMESTAMPING_OPT_STATS: Final[int]
SCM_TIMESTAMPING_PKTINFO: Final[int]
SCM_TIMESTAMPNS: Final[int]
SCM_TSTAMP_ACK: Final[int]
SCM_TSTAMP_COMPLETION: Final[int]
SCM_TSTAMP_SCHED: Final[int]
SCM_TSTAMP_SND: Final[int]
SCM_TS_OPT_ID: Final[int]
SCM_TXTIME: Final[int]
SCM_WIFI_STATUS: Final[int]
SCO_CONNINFO: Final[int]
SCO_OPTIONS: Final[int]
SCTP_ASSOCINFO: Final[int]
SCTP_AUTHINFO: Final[int]
SCTP_AUTOCLOSE: Final[int]
SCTP_CONTEXT: Final[int]
SCTP_DEFAULT_SEND_PARAM: Final[int]
SCTP_DEFAULT_SNDINFO: Final[int]
SCTP_DELAYED_SACK: Final[int]
SCTP_DISABLE_FRAGMENTS: Final[int]
SCTP_EVENT: Final[int]
SCTP_EVENTS: Final[int]
SCTP_FRAGMENT_INTERLEAVE: Final[int]
SCTP_GET_PEER_ADDR_INFO: Final[int]
SCTP_INIT: Final[int]
SCTP_INITMSG: Final[int]
SCTP_I_WANT_MAPPED_V4_ADDR: Final[int]
SCTP_MAXSEG: Final[int]
SCTP_MAX_BURST: Final[int]
SCTP_NODELAY: Final[int]
SCTP_NXTINFO: Final[int]
SCTP_PARTIAL_DELIVERY_POINT: Final[int]
SCTP_PEER_ADDR_PARAMS: Final[int]
SCTP_PRIMARY_ADDR: Final[int]
SCTP_PRINFO: Final[int]
SCTP_RCVINFO: Final[int]
SCTP_RECVNXTINFO: Final[int]
SCTP_RECVRCVINFO: Final[int]
SCTP_REUSE_PORT: Final[int]
SCTP_RTOINFO: Final[int]
SCTP_SNDINFO: Final[int]
SCTP_SNDRCV: Final[int]
SCTP_SOCKOPT_BINDX_ADD: Final[int]
SCTP_SOCKOPT_BINDX_REM: Final[int]
SCTP_SOCKOPT_CONNECTX: Final[int]
SCTP_SOCKOPT_PEELOFF: Final[int]
SCTP_STATUS: Final[int]
SHUT_RD: Final[int]
SHUT_RDWR: Final[int]
SHUT_WR: Final[int]
SIOCADDMULTI: Final[int]
SIOCATMARK: Final[int]
SIOCDARP: Final[int]
SIOCDELMULTI: Final[int]
SIOCETHTOOL: Final[int]
SIOCGARP: Final[int]
SIOCGHWTSTAMP: Final[int]
SIOCGIFADDR: Final[int]
SIOCGIFBRDADDR: Final[int]
SIOCGIFCONF: Final[int]
SIOCGIFDSTADDR: Final[int]
SIOCGIFFLAGS: Final[int]
SIOCGIFHWADDR: Final[int]
SIOCGIFINDEX: Final[int]
SIOCGIFMETRIC: Final[int]
SIOCGIFMTU: Final[int]
SIOCGIFNAME: Final[int]
SIOCGIFNETMASK: Final[int]
SIOCGIFTXQLEN: Final[int]
SIOCGPGRP: Final[int]
SIOCGSKNS: Final[int]
SIOCINQ: Final[int]
SIOCKCMATTACH: Final[int]
SIOCKCMCLONE: Final[int]
SIOCKCMUNATTACH: Final[int]
SIOCOUTQ: Final[int]
SIOCOUTQNSD: Final[int]
SIOCSARP: Final[int]
SIOCSHWTSTAMP: Final[int]
SIOCSIFADDR: Final[int]
SIOCSIFBRDADDR: Final[int]
SIOCSIFDSTADDR: Final[int]
SIOCSIFFLAGS: Final[int]
SIOCSIFHWADDR: Final[int]
SIOCSIFMETRIC: Final[int]
SIOCSIFMTU: Final[int]
SIOCSIFNAME: Final[int]
SIOCSIFNETMASK: Final[int]
SIOCSIFTXQLEN: Final[int]
SIOCSPGRP: Final[int]
SIOCUNIXFILE: Final[int]
SMCPROTO_SMC: Final[int]
SMCPROTO_SMC6: Final[int]
SMC_LIMIT_HS: Final[int]
SOCK_CLOEXEC: Final[int]
SOCK_DCCP: Final[int]
SOCK_DGRAM: Final[int]
SOCK_NONBLOCK: Final[int]
SOCK_PACKET: Final[int]
SOCK_RAW: Final[int]
SOCK_RDM: Final[int]
SOCK_SEQPACKET: Final[int]
SOCK_STREAM: Final[int]
SOF_TIMESTAMPING_BIND_PHC: Final[int]
SOF_TIMESTAMPING_OPT_CMSG: Final[int]
SOF_TIMESTAMPING_OPT_ID: Final[int]
SOF_TIMESTAMPING_OPT_ID_TCP: Final[int]
SOF_TIMESTAMPING_OPT_PKTINFO: Final[int]
SOF_TIMESTAMPING_OPT_RX_FILTER: Final[int]
SOF_TIMESTAMPING_OPT_STATS: Final[int]
SOF_TIMESTAMPING_OPT_TSONLY: Final[int]
SOF_TIMESTAMPING_OPT_TX_SWHW: Final[int]
SOF_TIMESTAMPING_RAW_HARDWARE: Final[int]
SOF_TIMESTAMPING_RX_HARDWARE: Final[int]
SOF_TIMESTAMPING_RX_SOFTWARE: Final[int]
SOF_TIMESTAMPING_SOFTWARE: Final[int]
SOF_TIMESTAMPING_SYS_HARDWARE: Final[int]
SOF_TIMESTAMPING_TX_ACK: Final[int]
SOF_TIMESTAMPING_TX_COMPLETION: Final[int]
SOF_TIMESTAMPING_TX_HARDWARE: Final[int]
SOF_TIMESTAMPING_TX_SCHED: Final[int]
SOF_TIMESTAMPING_TX_SOFTWARE: Final[int]
SOF_TXTIME_DEADLINE_MODE: Final[int]
SOF_TXTIME_REPORT_ERRORS: Final[int]
SOL_AAL: Final[int]
SOL_ALG: Final[int]
SOL_ATALK: Final[int]
SOL_ATM: Final[int]
SOL_AX25: Final[int]
SOL_BLUETOOTH: Final[int]
SOL_CAIF: Final[int]
SOL_CAN_BASE: Final[int]
SOL_CAN_BCM: Final[int]
SOL_CAN_ISOTP: Final[int]
SOL_CAN_J1939: Final[int]
SOL_CAN_RAW: Final[int]
SOL_DCCP: Final[int]
SOL_DECNET: Final[int]
SOL_HCI: Final[int]
SOL_ICMPV6: Final[int]
SOL_IP: Final[int]
SOL_IPV6: Final[int]
SOL_IPX: Final[int]
SOL_IRDA: Final[int]
SOL_IUCV: Final[int]
SOL_KCM: Final[int]
SOL_L2CAP: Final[int]
SOL_LLC: Final[int]
SOL_MCTP: Final[int]
SOL_MPTCP: Final[int]
SOL_NETBEUI: Final[int]
SOL_NETLINK: Final[int]
SOL_NETROM: Final[int]
SOL_NFC: Final[int]
SOL_PACKET: Final[int]
SOL_PNPIPE: Final[int]
SOL_PPPOL2TP: Final[int]
SOL_RAW: Final[int]
SOL_RDS: Final[int]
SOL_RFCOMM: Final[int]
SOL_ROSE: Final[int]
SOL_RXRPC: Final[int]
SOL_SCO: Final[int]
SOL_SCTP: Final[int]
SOL_SMC: Final[int]
SOL_SOCKET: Final[int]
SOL_TCP: Final[int]
SOL_TIPC: Final[int]
SOL_TLS: Final[int]
SOL_UDP: Final[int]
SOL_UDPLITE: Final[int]
SOL_VSOCK: Final[int]
SOL_X25: Final[int]
SOL_XDP: Final[int]
SOMAXCONN: Final[int]
SO_ACCEPTCONN: Final[int]
SO_ATTACH_BPF: Final[int]
SO_ATTACH_FILTER: Final[int]
SO_ATTACH_REUSEPORT_CBPF: Final[int]
SO_ATTACH_REUSEPORT_EBPF: Final[int]
SO_BINDTODEVICE: Final[int]
SO_BINDTOIFINDEX: Final[int]
SO_BPF_EXTENSIONS: Final[int]
SO_BROADCAST: Final[int]
SO_BSDCOMPAT: Final[int]
SO_BUF_LOCK: Final[int]
SO_BUSY_POLL: Final[int]
SO_BUSY_POLL_BUDGET: Final[int]
SO_CNX_ADVICE: Final[int]
SO_COOKIE: Final[int]
SO_DEBUG: Final[int]
SO_DETACH_BPF: Final[int]
SO_DETACH_FILTER: Final[int]
SO_DETACH_REUSEPORT_BPF: Final[int]
SO_DEVMEM_DMABUF: Final[int]
SO_DEVMEM_DONTNEED: Final[int]
SO_DEVMEM_LINEAR: Final[int]
SO_DOMAIN: Final[int]
SO_DONTROUTE: Final[int]
SO_EE_CODE_TXTIME_INVALID_PARAM: Final[int]
SO_EE_CODE_TXTIME_MISSED: Final[int]
SO_EE_CODE_ZEROCOPY_COPIED: Final[int]
SO_EE_ORIGIN_ICMP: Final[int]
SO_EE_ORIGIN_ICMP6: Final[int]
SO_EE_ORIGIN_LOCAL: Final[int]
SO_EE_ORIGIN_NONE: Final[int]
SO_EE_ORIGIN_TIMESTAMPING: Final[int]
SO_EE_ORIGIN_TXSTATUS: Final[int]
SO_EE_ORIGIN_TXTIME: Final[int]
SO_EE_ORIGIN_ZEROCOPY: Final[int]
SO_EE_RFC4884_FLAG_INVALID: Final[int]
SO_ERROR: Final[int]
SO_GET_FILTER: Final[int]
SO_INCOMING_CPU: Final[int]
SO_INCOMING_NAPI_ID: Final[int]
SO_INQ: Final[int]
SO_J1939_ERRQUEUE: Final[int]
SO_J1939_FILTER: Final[int]
SO_J1939_PROMISC: Final[int]
SO_J1939_SEND_PRIO: Final[int]
SO_KEEPALIVE: Final[int]
SO_LINGER: Final[int]
SO_LOCK_FILTER: Final[int]
SO_MARK: Final[int]
SO_MAX_PACING_RATE: Final[int]
SO_MEMINFO: Final[int]
SO_NETNS_COOKIE: Final[int]
SO_NOFCS: Final[int]
SO_NO_CHECK: Final[int]
SO_OOBINLINE: Final[int]
SO_ORIGINAL_DST: Final[int]
SO_PASSCRED: Final[int]
SO_PASSPIDFD: Final[int]
SO_PASSRIGHTS: Final[int]
SO_PASSSEC: Final[int]
SO_PEEK_OFF: Final[int]
SO_PEERCRED: Final[int]
SO_PEERGROUPS: Final[int]
SO_PEERNAME: Final[int]
SO_PEERPIDFD: Final[int]
SO_PEERSEC: Final[int]
SO_PREFER_BUSY_POLL: Final[int]
SO_PRIORITY: Final[int]
SO_PROTOCOL: Final[int]
SO_RCVBUF: Final[int]
SO_RCVBUFFORCE: Final[int]
SO_RCVLOWAT: Final[int]
SO_RCVMARK: Final[int]
SO_RCVPRIORITY: Final[int]
SO_RCVTIMEO: Final[int]
SO_RCVTIMEO_NEW: Final[int]
SO_RCVTIMEO_OLD: Final[int]
SO_RDS_MSG_RXPATH_LATENCY: Final[int]
SO_RDS_TRANSPORT: Final[int]
SO_RESERVE_MEM: Final[int]
SO_REUSEADDR: Final[int]
SO_REUSEPORT: Final[int]
SO_RXQ_OVFL: Final[int]
SO_SELECT_ERR_QUEUE: Final[int]
SO_SNDBUF: Final[int]
SO_SNDBUFFORCE: Final[int]
SO_SNDLOWAT: Final[int]
SO_SNDTIMEO: Final[int]
SO_SNDTIMEO_NEW: Final[int]
SO_SNDTIMEO_OLD: Final[int]
SO_TIMESTAMP: Final[int]
SO_TIMESTAMPING: Final[int]
SO_TIMESTAMPING_NEW: Final[int]
SO_TIMESTAMPING_OLD: Final[int]
SO_TIMESTAMPNS: Final[int]
SO_TIMESTAMPNS_NEW: Final[int]
SO_TIMESTAMPNS_OLD: Final[int]
SO_TIMESTAMP_NEW: Final[int]
SO_TIMESTAMP_OLD: Final[int]
SO_TXREHASH: Final[int]
SO_TXTIME: Final[int]
SO_TYPE: Final[int]
SO_VM_SOCKETS_BUFFER_MAX_SIZE: Final[int]
SO_VM_SOCKETS_BUFFER_MIN_SIZE: Final[int]
SO_VM_SOCKETS_BUFFER_SIZE: Final[int]
SO_VM_SOCKETS_CONNECT_TIMEOUT: Final[int]
SO_VM_SOCKETS_CONNECT_TIMEOUT_NEW: Final[int]
SO_VM_SOCKETS_CONNECT_TIMEOUT_OLD: Final[int]
SO_VM_SOCKETS_NONBLOCK_TXRX: Final[int]
SO_VM_SOCKETS_PEER_HOST_VM_ID: Final[int]
SO_VM_SOCKETS_TRUSTED: Final[int]
SO_WIFI_STATUS: Final[int]
SO_ZEROCOPY: Final[int]
TCPI_OPT_ECN: Final[int]
TCPI_OPT_ECN_SEEN: Final[int]
TCPI_OPT_SACK: Final[int]
TCPI_OPT_SYN_DATA: Final[int]
TCPI_OPT_TFO_CHILD: Final[int]
TCPI_OPT_TIMESTAMPS: Final[int]
TCPI_OPT_USEC_TS: Final[int]
TCPI_OPT_WSCALE: Final[int]
TCP_AO_ADD_KEY: Final[int]
TCP_AO_DEL_KEY: Final[int]
TCP_AO_GET_KEYS: Final[int]
TCP_AO_INFO: Final[int]
TCP_AO_KEYF_EXCLUDE_OPT: Final[int]
TCP_AO_KEYF_IFINDEX: Final[int]
TCP_AO_MAXKEYLEN: Final[int]
TCP_AO_REPAIR: Final[int]
TCP_CA_CWR: Final[int]
TCP_CA_Disorder: Final[int]
TCP_CA_Loss: Final[int]
TCP_CA_Open: Final[int]
TCP_CA_Recovery: Final[int]
TCP_CC_INFO: Final[int]
TCP_CLOSE: Final[int]
TCP_CLOSE_WAIT: Final[int]
TCP_CLOSING: Final[int]
TCP_CM_INQ: Final[int]
TCP_CONGESTION: Final[int]
TCP_CORK: Final[int]
TCP_DEFER_ACCEPT: Final[int]
TCP_DELACK_MAX_US: Final[int]
TCP_ENCAP_ESPINTCP: Final[int]
TCP_ESTABLISHED: Final[int]
TCP_FASTOPEN: Final[int]
TCP_FASTOPEN_CONNECT: Final[int]
TCP_FASTOPEN_KEY: Final[int]
TCP_FASTOPEN_NO_COOKIE: Final[int]
TCP_FIN_WAIT1: Final[int]
TCP_FIN_WAIT2: Final[int]
TCP_INFO: Final[int]
TCP_INQ: Final[int]
TCP_IS_MPTCP: Final[int]
TCP_KEEPCNT: Final[int]
TCP_KEEPIDLE: Final[int]
TCP_KEEPINTVL: Final[int]
TCP_LAST_ACK: Final[int]
TCP_LINGER2: Final[int]
TCP_LISTEN: Final[int]
TCP_MAXSEG: Final[int]
TCP_MD5SIG: Final[int]
TCP_MD5SIG_EXT: Final[int]
TCP_MD5SIG_FLAG_IFINDEX: Final[int]
TCP_MD5SIG_FLAG_PREFIX: Final[int]
TCP_MD5SIG_MAXKEYLEN: Final[int]
TCP_MSS_DEFAULT: Final[int]
TCP_MSS_DESIRED: Final[int]
TCP_NODELAY: Final[int]
TCP_NOTSENT_LOWAT: Final[int]
TCP_NO_QUEUE: Final[int]
TCP_QUEUE_SEQ: Final[int]
TCP_QUICKACK: Final[int]
TCP_RECEIVE_ZEROCOPY_FLAG_TLB_CLEAN_HINT: Final[int]
TCP_RECV_QUEUE: Final[int]
TCP_REPAIR: Final[int]
TCP_REPAIR_OFF: Final[int]
TCP_REPAIR_OFF_NO_WP: Final[int]
TCP_REPAIR_ON: Final[int]
TCP_REPAIR_OPTIONS: Final[int]
TCP_REPAIR_QUEUE: Final[int]
TCP_REPAIR_WINDOW: Final[int]
TCP_RTO_MAX_MS: Final[int]
TCP_RTO_MIN_US: Final[int]
TCP_SAVED_SYN: Final[int]
TCP_SAVE_SYN: Final[int]
TCP_SEND_QUEUE: Final[int]
TCP_SYNCNT: Final[int]
TCP_SYN_RECV: Final[int]
TCP_SYN_SENT: Final[int]
TCP_THIN_DUPACK: Final[int]
TCP_THIN_LINEAR_TIMEOUTS: Final[int]
TCP_TIMESTAMP: Final[int]
TCP_TIME_WAIT: Final[int]
TCP_TX_DELAY: Final[int]
TCP_ULP: Final[int]
TCP_USER_TIMEOUT: Final[int]
TCP_WINDOW_CLAMP: Final[int]
TCP_ZEROCOPY_RECEIVE: Final[int]
TIPC_ADDR_ID: Final[int]
TIPC_ADDR_MCAST: Final[int]
TIPC_ADDR_NAME: Final[int]
TIPC_ADDR_NAMESEQ: Final[int]
TIPC_CFG_SRV: Final[int]
TIPC_CLUSTER_SCOPE: Final[int]
TIPC_CONN_SHUTDOWN: Final[int]
TIPC_CONN_TIMEOUT: Final[int]
TIPC_CRITICAL_IMPORTANCE: Final[int]
TIPC_DESTNAME: Final[int]
TIPC_DEST_DROPPABLE: Final[int]
TIPC_ERRINFO: Final[int]
TIPC_ERR_NO_NAME: Final[int]
TIPC_ERR_NO_NODE: Final[int]
TIPC_ERR_NO_PORT: Final[int]
TIPC_ERR_OVERLOAD: Final[int]
TIPC_GROUP_JOIN: Final[int]
TIPC_GROUP_LEAVE: Final[int]
TIPC_GROUP_LOOPBACK: Final[int]
TIPC_GROUP_MEMBER_EVTS: Final[int]
TIPC_HIGH_IMPORTANCE: Final[int]
TIPC_IMPORTANCE: Final[int]
TIPC_LINK_STATE: Final[int]
TIPC_LOW_IMPORTANCE: Final[int]
TIPC_MAX_USER_MSG_SIZE: Final[int]
TIPC_MCAST_BROADCAST: Final[int]
TIPC_MCAST_REPLICAST: Final[int]
TIPC_MEDIUM_IMPORTANCE: Final[int]
TIPC_NODELAY: Final[int]
TIPC_NODE_RECVQ_DEPTH: Final[int]
TIPC_NODE_SCOPE: Final[int]
TIPC_NODE_STATE: Final[int]
TIPC_OK: Final[int]
TIPC_PUBLISHED: Final[int]
TIPC_RESERVED_TYPES: Final[int]
TIPC_RETDATA: Final[int]
TIPC_SERVICE_ADDR: Final[int]
TIPC_SERVICE_RANGE: Final[int]
TIPC_SOCKET_ADDR: Final[int]
TIPC_SOCK_RECVQ_DEPTH: Final[int]
TIPC_SOCK_RECVQ_USED: Final[int]
TIPC_SRC_DROPPABLE: Final[int]
TIPC_SUBSCR_TIMEOUT: Final[int]
TIPC_SUB_CANCEL: Final[int]
TIPC_SUB_PORTS: Final[int]
TIPC_SUB_SERVICE: Final[int]
TIPC_TOP_SRV: Final[int]
TIPC_WAIT_FOREVER: Final[int]
TIPC_WITHDRAWN: Final[int]
TIPC_ZONE_SCOPE: Final[int]
TLS_1_2_VERSION: Final[int]
TLS_1_3_VERSION: Final[int]
TLS_CIPHER_AES_CCM_128: Final[int]
TLS_CIPHER_AES_GCM_128: Final[int]
TLS_CIPHER_AES_GCM_256: Final[int]
TLS_CIPHER_ARIA_GCM_128: Final[int]
TLS_CIPHER_ARIA_GCM_256: Final[int]
TLS_CIPHER_CHACHA20_POLY1305: Final[int]
TLS_CIPHER_SM4_CCM: Final[int]
TLS_CIPHER_SM4_GCM: Final[int]
TLS_GET_RECORD_TYPE: Final[int]
TLS_RX: Final[int]
TLS_RX_EXPECT_NO_PAD: Final[int]
TLS_SET_RECORD_TYPE: Final[int]
TLS_TX: Final[int]
TLS_TX_MAX_PAYLOAD_LEN: Final[int]
TLS_TX_ZEROCOPY_RO: Final[int]
TPACKET_ALIGNMENT: Final[int]
TPACKET_V1: Final[int]
TPACKET_V2: Final[int]
TPACKET_V3: Final[int]
TP_STATUS_AVAILABLE: Final[int]
TP_STATUS_BLK_TMO: Final[int]
TP_STATUS_COPY: Final[int]
TP_STATUS_CSUMNOTREADY: Final[int]
TP_STATUS_CSUM_VALID: Final[int]
TP_STATUS_GSO_TCP: Final[int]
TP_STATUS_KERNEL: Final[int]
TP_STATUS_LOSING: Final[int]
TP_STATUS_SENDING: Final[int]
TP_STATUS_SEND_REQUEST: Final[int]
TP_STATUS_TS_RAW_HARDWARE: Final[int]
TP_STATUS_TS_SOFTWARE: Final[int]
TP_STATUS_USER: Final[int]
TP_STATUS_VLAN_TPID_VALID: Final[int]
TP_STATUS_VLAN_VALID: Final[int]
TP_STATUS_WRONG_FORMAT: Final[int]
TRY_AGAIN: Final[int]
UDPLITE_RECV_CSCOV: Final[int]
UDPLITE_SEND_CSCOV: Final[int]
UDP_CORK: Final[int]
UDP_ENCAP: Final[int]
UDP_ENCAP_ESPINUDP: Final[int]
UDP_ENCAP_ESPINUDP_NON_IKE: Final[int]
UDP_ENCAP_GTP0: Final[int]
UDP_ENCAP_GTP1U: Final[int]
UDP_ENCAP_L2TPINUDP: Final[int]
UDP_ENCAP_OVPNINUDP: Final[int]
UDP_ENCAP_RXRPC: Final[int]
UDP_GRO: Final[int]
UDP_NO_CHECK6_RX: Final[int]
UDP_NO_CHECK6_TX: Final[int]
UDP_SEGMENT: Final[int]
UNIX_PATH_MAX: Final[int]
VMADDR_CID_ANY: Final[int]
VMADDR_CID_HOST: Final[int]
VMADDR_CID_HYPERVISOR: Final[int]
VMADDR_CID_LOCAL: Final[int]
VMADDR_FLAG_TO_HOST: Final[int]
VMADDR_PORT_ANY: Final[int]
VM_SOCKETS_INVALID_VERSION: Final[int]
VSOCK_RECVERR: Final[int]
XDP_COPY: Final[int]
XDP_MAX_TX_SKB_BUDGET: Final[int]
XDP_MMAP_OFFSETS: Final[int]
XDP_OPTIONS: Final[int]
XDP_OPTIONS_ZEROCOPY: Final[int]
XDP_PGOFF_RX_RING: Final[int]
XDP_PGOFF_TX_RING: Final[int]
XDP_PKT_CONTD: Final[int]
XDP_RING_NEED_WAKEUP: Final[int]
XDP_RX_RING: Final[int]
XDP_SHARED_UMEM: Final[int]
XDP_STATISTICS: Final[int]
XDP_TXMD_FLAGS_CHECKSUM: Final[int]
XDP_TXMD_FLAGS_LAUNCH_TIME: Final[int]
XDP_TXMD_FLAGS_TIMESTAMP: Final[int]
XDP_TX_METADATA: Final[int]
XDP_TX_RING: Final[int]
XDP_UMEM_COMPLETION_RING: Final[int]
XDP_UMEM_FILL_RING: Final[int]
XDP_UMEM_PGOFF_COMPLETION_RING: Final[int]
XDP_UMEM_PGOFF_FILL_RING: Final[int]
XDP_UMEM_REG: Final[int]
XDP_UMEM_TX_METADATA_LEN: Final[int]
XDP_UMEM_TX_SW_CSUM: Final[int]
XDP_UMEM_UNALIGNED_CHUNK_FLAG: Final[int]
XDP_USE_NEED_WAKEUP: Final[int]
XDP_USE_SG: Final[int]
XDP_ZEROCOPY: Final[int]
if sys.platform != "linux":
    HV_GUID_BROADCAST: Final[str]
    HV_GUID_CHILDREN: Final[str]
    HV_GUID_LOOPBACK: Final[str]
    HV_GUID_PARENT: Final[str]
    HV_GUID_WILDCARD: Final[str]
    HV_GUID_ZERO: Final[str]
    AF_AAL5: Final[int]
    AF_DIVERT: Final[int]
    AF_HYPERV: Final[int]
    AF_LINK: Final[int]
    AF_SYSTEM: Final[int]
    AI_DEFAULT: Final[int]
    AI_MASK: Final[int]
    AI_UNUSABLE: Final[int]
    AI_V4MAPPED_CFG: Final[int]
    EAI_BADHINTS: Final[int]
    EAI_MAX: Final[int]
    EAI_PROTOCOL: Final[int]
    HVSOCKET_ADDRESS_FLAG_PASSTHRU: Final[int]
    HVSOCKET_CONNECTED_SUSPEND: Final[int]
    HVSOCKET_CONNECT_TIMEOUT: Final[int]
    HVSOCKET_CONNECT_TIMEOUT_MAX: Final[int]
    HV_PROTOCOL_RAW: Final[int]
    INADDR_CARP_GROUP: Final[int]
    INADDR_PFSYNC_GROUP: Final[int]
    IPPORT_EPHEMERALFIRST: Final[int]
    IPPORT_EPHEMERALLAST: Final[int]
    IPPORT_HIFIRSTAUTO: Final[int]
    IPPORT_HILASTAUTO: Final[int]
    IPPROTO_BIP: Final[int]
    IPPROTO_CARP: Final[int]
    IPPROTO_CBT: Final[int]
    IPPROTO_DIVERT: Final[int]
    IPPROTO_EON: Final[int]
    IPPROTO_GGP: Final[int]
    IPPROTO_HELLO: Final[int]
    IPPROTO_ICLFXBM: Final[int]
    IPPROTO_IGP: Final[int]
    IPPROTO_IPCOMP: Final[int]
    IPPROTO_IPV4: Final[int]
    IPPROTO_MAX: Final[int]
    IPPROTO_MOBILE: Final[int]
    IPPROTO_ND: Final[int]
    IPPROTO_PFSYNC: Final[int]
    IPPROTO_PGM: Final[int]
    IPPROTO_RDP: Final[int]
    IPPROTO_ST: Final[int]
    IPPROTO_VRRP: Final[int]
    IPPROTO_XTP: Final[int]
    IPV6_BINDANY: Final[int]
    IPV6_BOUND_IF: Final[int]
    IPV6_ONESBCAST: Final[int]
    IPV6_PORTRANGE: Final[int]
    IPV6_RECVDSTPORT: Final[int]
    IPV6_USE_MIN_MTU: Final[int]
    IPX_TYPE: Final[int]
    IP_BINDANY: Final[int]
    IP_BOUND_IF: Final[int]
    IP_DONTFRAG: Final[int]
    IP_ONESBCAST: Final[int]
    IP_PORTRANGE: Final[int]
    IP_PORTRANGE_DEFAULT: Final[int]
    IP_PORTRANGE_HIGH: Final[int]
    IP_PORTRANGE_LOW: Final[int]
    IP_RECVDSTADDR: Final[int]
    IP_RECVDSTPORT: Final[int]
    IP_RECVIF: Final[int]
    IP_RECVPKTINFO: Final[int]
    IP_RECVRTABLE: Final[int]
    IP_SENDSRCADDR: Final[int]
    LOCAL_CONNWAIT: Final[int]
    LOCAL_CREDS: Final[int]
    LOCAL_CREDS_PERSISTENT: Final[int]
    LOCAL_PEERCRED: Final[int]
    LOCAL_PEEREID: Final[int]
    LOCAL_PEEREPID: Final[int]
    LOCAL_PEEREUUID: Final[int]
    LOCAL_PEERPID: Final[int]
    LOCAL_PEERTOKEN: Final[int]
    LOCAL_PEERUUID: Final[int]
    MSG_BCAST: Final[int]
    MSG_BTAG: Final[int]
    MSG_EOF: Final[int]
    MSG_ETAG: Final[int]
    MSG_MCAST: Final[int]
    NI_NUMERICSCOPE: Final[int]
    NI_WITHSCOPEID: Final[int]
    PF_DIVERT: Final[int]
    PF_SYSTEM: Final[int]
    RCVALL_IPLEVEL: Final[int]
    RCVALL_MAX: Final[int]
    RCVALL_OFF: Final[int]
    RCVALL_ON: Final[int]
    RCVALL_SOCKETLEVELONLY: Final[int]
    RDS_CMSG_RDMA_UPDATE: Final[int]
    SCM_BINTIME: Final[int]
    SCM_CREDS: Final[int]
    SCM_CREDS2: Final[int]
    SCM_MONOTONIC: Final[int]
    SCM_REALTIME: Final[int]
    SCM_TIMESTAMP_MONOTONIC: Final[int]
    SCM_TIME_INFO: Final[int]
    SIO_KEEPALIVE_VALS: Final[int]
    SIO_LOOPBACK_FAST_PATH: Final[int]
    SIO_RCVALL: Final[int]
    SO_ACCEPTFILTER: Final[int]
    SO_BINDANY: Final[int]
    SO_BINTIME: Final[int]
    SO_BTH_ENCRYPT: Final[int]
    SO_BTH_MTU: Final[int]
    SO_BTH_MTU_MAX: Final[int]
    SO_BTH_MTU_MIN: Final[int]
    SO_EXCLUSIVEADDRUSE: Final[int]
    SO_HCI_EVT_FILTER: Final[int]
    SO_HCI_PKT_FILTER: Final[int]
    SO_L2CAP_ENCRYPTED: Final[int]
    SO_L2CAP_FLUSH: Final[int]
    SO_L2CAP_IMTU: Final[int]
    SO_L2CAP_IQOS: Final[int]
    SO_L2CAP_LM: Final[int]
    SO_L2CAP_OMTU: Final[int]
    SO_L2CAP_OQOS: Final[int]
    SO_LISTENQLEN: Final[int]
    SO_LISTENQLIMIT: Final[int]
    SO_NOHEADER: Final[int]
    SO_NOSIGPIPE: Final[int]
    SO_NREAD: Final[int]
    SO_NWRITE: Final[int]
    SO_RERROR: Final[int]
    SO_REUSEPORT_LB: Final[int]
    SO_RFCOMM_FC_INFO: Final[int]
    SO_RFCOMM_LM: Final[int]
    SO_RFCOMM_MTU: Final[int]
    SO_RTABLE: Final[int]
    SO_SCO_CONNINFO: Final[int]
    SO_SCO_HANDLE: Final[int]
    SO_SCO_MTU: Final[int]
    SO_SETFIB: Final[int]
    SO_SPLICE: Final[int]
    SO_TS_CLOCK: Final[int]
    SO_USELOOPBACK: Final[int]
    SO_USER_COOKIE: Final[int]
    SYSPROTO_CONTROL: Final[int]
    TCP_CONNECTIONTIMEOUT: Final[int]
    TCP_CONNECTION_INFO: Final[int]
    TCP_ENABLE_ECN: Final[int]
    TCP_FUNCTION_BLK: Final[int]
    TCP_KEEPALIVE: Final[int]
    TCP_KEEPINIT: Final[int]
    TCP_MAXUNACKTIME: Final[int]
    TCP_NOOPT: Final[int]
    TCP_NOPUSH: Final[int]
    TCP_PCAP_IN: Final[int]
    TCP_PCAP_OUT: Final[int]
    TCP_PERSIST_TIMEOUT: Final[int]
    TCP_RXT_CONNDROPTIME: Final[int]
    TCP_RXT_FINDROP: Final[int]
    TCP_SACK_ENABLE: Final[int]
    TCP_SENDMOREACKS: Final[int]
