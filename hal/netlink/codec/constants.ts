/** Numbers of the kernel's netlink interface, by the kernel's names. @see linux/netlink.h, linux/rtnetlink.h */

export const NLMSG_HEADER_BYTES = 16;
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;

export const NLM_F_REQUEST = 0x1;
export const NLM_F_ACK = 0x4;
export const NLM_F_DUMP_INTR = 0x10;
export const NLM_F_CAPPED = 0x100;
export const NLM_F_ACK_TLVS = 0x200;
export const NLM_F_DUMP = 0x300;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;

export const NLMSGERR_ATTR_MSG = 1;

/** Names of the message types that we send or read; they are the `syscall` of a HalError. */
export const RTM = {
  RTM_NEWLINK: 16,
  RTM_DELLINK: 17,
  RTM_GETLINK: 18,
  RTM_NEWADDR: 20,
  RTM_DELADDR: 21,
  RTM_GETADDR: 22,
  RTM_NEWROUTE: 24,
  RTM_DELROUTE: 25,
  RTM_GETROUTE: 26,
  RTM_NEWNEIGH: 28,
  RTM_DELNEIGH: 29,
  RTM_GETNEIGH: 30,
  RTM_NEWSTATS: 92,
  RTM_GETSTATS: 94,
} as const;

/** The same over a socket of its own protocol. @see linux/sock_diag.h */
export const NETLINK_SOCK_DIAG = 4;
export const SOCK = { SOCK_DIAG_BY_FAMILY: 20, SOCK_DESTROY: 21 } as const;

/** The same of the packet filter: the subsystem's number stands in the upper byte. @see linux/netfilter/nfnetlink.h */
export const NETLINK_NETFILTER = 12;
export const NETFILTER = {
  IPCTNL_MSG_CT_NEW: 0x100,
  IPCTNL_MSG_CT_GET: 0x101,
  IPCTNL_MSG_CT_DELETE: 0x102,
  NFT_MSG_NEWGEN: 0xa0f,
  NFT_MSG_GETGEN: 0xa10,
} as const;

/**
 * The same of generic netlink. The kernel numbers its families as they come, so that the number of those behind the
 * controller is asked for. @see linux/genetlink.h, linux/ethtool_netlink.h
 */
export const NETLINK_GENERIC = 16;
export const GENERIC = { CTRL_CMD_GETFAMILY: 16, ETHTOOL_MSG_LINKMODES_GET: 0 } as const;

export const MESSAGES = { ...RTM, ...SOCK, ...NETFILTER, ...GENERIC } as const;

export type MessageName = keyof typeof MESSAGES;

/** Multicast groups of a listener that must miss nothing: link, neighbour, and both families' addresses and routes. */
export const RTNLGRP_LISTENED = [
  1, // RTNLGRP_LINK
  3, // RTNLGRP_NEIGH
  5, // RTNLGRP_IPV4_IFADDR
  7, // RTNLGRP_IPV4_ROUTE
  9, // RTNLGRP_IPV6_IFADDR
  11, // RTNLGRP_IPV6_ROUTE
] as const;

export const AF_UNSPEC = 0;
export const AF_INET = 2;
export const AF_INET6 = 10;

export const IFF_UP = 0x1;
export const IFF_LOWER_UP = 0x10000;

export const IFLA_ADDRESS = 1;
export const IFLA_IFNAME = 3;
export const IFLA_MTU = 4;
export const IFLA_LINK = 5;
export const IFLA_MASTER = 10;
export const IFLA_OPERSTATE = 16;
export const IFLA_LINKINFO = 18;
export const IFLA_CARRIER = 33;
export const IFLA_INFO_KIND = 1;
export const IFLA_INFO_DATA = 2;
export const IFLA_MACVLAN_MODE = 1;
export const MACVLAN_MODE_BRIDGE = 4;

/** The bit of a filter mask, and the attribute: struct rtnl_link_stats64. */
export const IFLA_STATS_LINK_64 = 1;

/** Newer parts of the kernel want it said that a value is attributes. */
export const NLA_F_NESTED = 0x8000;

export const CTRL_COMMAND_GETFAMILY = 3;
export const CTRL_ATTR_FAMILY_ID = 1;
export const CTRL_ATTR_FAMILY_NAME = 2;
export const ETHTOOL_COMMAND_LINKMODES_GET = 4;
export const ETHTOOL_A_HEADER_DEV_INDEX = 1;
export const ETHTOOL_A_HEADER_FLAGS = 3;
export const ETHTOOL_FLAG_COMPACT_BITSETS = 1;
export const ETHTOOL_A_LINKMODES_HEADER = 1;
export const ETHTOOL_A_LINKMODES_SPEED = 5;

export const IFA_ADDRESS = 1;
export const IFA_LOCAL = 2;
export const IFA_CACHEINFO = 6;
export const IFA_FLAGS = 8;
export const IFA_F_NODAD = 0x02;
export const IFA_F_DEPRECATED = 0x20;
export const IFA_F_NOPREFIXROUTE = 0x200;

export const RTA_DST = 1;
export const RTA_OIF = 4;
export const RTA_GATEWAY = 5;
export const RTA_PRIORITY = 6;
export const RTA_MULTIPATH = 9;
export const RTA_TABLE = 15;
export const RTA_VIA = 18;
export const RT_TABLE_MAIN = 254;
export const RTN_UNICAST = 1;
export const RT_SCOPE_UNIVERSE = 0;
export const RT_SCOPE_LINK = 253;
export const RT_SCOPE_HOST = 254;
export const RT_SCOPE_NOWHERE = 255;
export const RTM_F_CLONED = 0x200;

export const NDA_DST = 1;
export const NDA_LLADDR = 2;
export const NDA_FLAGS_EXT = 15;
export const NTF_EXT_MANAGED = 0x1;

export const CTA_STATUS = 3;
export const CTA_PROTOINFO = 4;
export const CTA_MARK = 8;
export const CTA_MARK_MASK = 21;
export const CTA_PROTOINFO_TCP = 1;
export const CTA_PROTOINFO_TCP_STATE = 1;
export const IPS_SEEN_REPLY = 0x2;
export const NFTA_GEN_ID = 1;
