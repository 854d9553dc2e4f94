/* Lays out socket addresses as the headers of the machine have them, for test_address_codec.py.
 *
 * Each line of the input is a kind of address and the values of its fields; the answer is one line with the bytes of
 * the struct in hexadecimal, or "absent" where the machine has no header for it. Numbers are as C writes them; bytes
 * are hexadecimal digits, or "-" when there are none.
 */
#include "socketpkg_platform.h"

#include <endian.h>
#include <stdio.h>

#if __has_include(<bluetooth/bluetooth.h>)
#include <bluetooth/bluetooth.h>
#include <bluetooth/hci.h>
#include <bluetooth/l2cap.h>
#include <bluetooth/rfcomm.h>
#include <bluetooth/sco.h>
#else
/* The headers come with BlueZ and not with the kernel, whose own ones are not for programs. These are its structs. */
typedef struct {
    uint8_t b[6];
} bdaddr_t;
struct sockaddr_l2 {
    sa_family_t l2_family;
    unsigned short l2_psm;
    bdaddr_t l2_bdaddr;
    unsigned short l2_cid;
    uint8_t l2_bdaddr_type;
};
struct sockaddr_rc {
    sa_family_t rc_family;
    bdaddr_t rc_bdaddr;
    uint8_t rc_channel;
};
struct sockaddr_hci {
    sa_family_t hci_family;
    unsigned short hci_dev;
    unsigned short hci_channel;
};
struct sockaddr_sco {
    sa_family_t sco_family;
    bdaddr_t sco_bdaddr;
};
#endif

static const char *word(void)
{
    const char *found = strtok(NULL, " \n");
    if (found == NULL) {
        fputs("a field is missing\n", stderr);
        exit(2);
    }
    return found;
}

static unsigned long long number(void)
{
    return strtoull(word(), NULL, 0);
}

static size_t bytes(void *target, size_t size)
{
    const char *digits = word();
    size_t count = 0;
    unsigned int byte;
    while (count < size && sscanf(digits + 2 * count, "%2x", &byte) == 1)
        ((unsigned char *)target)[count++] = (unsigned char)byte;
    return count;
}

static void answer(const void *address, size_t size)
{
    for (size_t at = 0; at < size; at++)
        printf("%02x", ((const unsigned char *)address)[at]);
    putchar('\n');
}

static int is(const char *kind, const char *name)
{
    return strcmp(kind, name) == 0;
}

static void lay_out(const char *kind)
{
    if (is(kind, "inet")) {
        struct sockaddr_in a = {.sin_family = AF_INET};
        a.sin_port = htons((uint16_t)number());
        bytes(&a.sin_addr, sizeof(a.sin_addr));
        answer(&a, sizeof(a));
        return;
    }
    if (is(kind, "inet6")) {
        struct sockaddr_in6 a = {.sin6_family = AF_INET6};
        a.sin6_port = htons((uint16_t)number());
        a.sin6_flowinfo = htonl((uint32_t)number());
        bytes(&a.sin6_addr, sizeof(a.sin6_addr));
        a.sin6_scope_id = (uint32_t)number();
        answer(&a, sizeof(a));
        return;
    }
    if (is(kind, "unix")) {
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        size_t size = bytes(a.sun_path, sizeof(a.sun_path));
        answer(&a, offsetof(struct sockaddr_un, sun_path) + size);
        return;
    }
#if __has_include(<linux/netlink.h>)
    if (is(kind, "netlink")) {
        struct sockaddr_nl a = {.nl_family = AF_NETLINK};
        a.nl_pid = (uint32_t)number();
        a.nl_groups = (uint32_t)number();
        answer(&a, sizeof(a));
        return;
    }
#endif
#if __has_include(<linux/qrtr.h>) && defined(AF_QIPCRTR)
    if (is(kind, "qipcrtr")) {
        struct sockaddr_qrtr a = {.sq_family = AF_QIPCRTR};
        a.sq_node = (uint32_t)number();
        a.sq_port = (uint32_t)number();
        answer(&a, sizeof(a));
        return;
    }
#endif
#if __has_include(<linux/vm_sockets.h>) && defined(AF_VSOCK)
    if (is(kind, "vsock")) {
        struct sockaddr_vm a = {.svm_family = AF_VSOCK};
        a.svm_cid = (unsigned int)number();
        a.svm_port = (unsigned int)number();
        answer(&a, sizeof(a));
        return;
    }
#endif
#if __has_include(<linux/if_packet.h>)
    if (is(kind, "packet")) {
        struct sockaddr_ll a = {.sll_family = AF_PACKET};
        a.sll_ifindex = (int)number();
        a.sll_protocol = htons((uint16_t)number());
        a.sll_pkttype = (unsigned char)number();
        a.sll_hatype = (unsigned short)number();
        a.sll_halen = (unsigned char)bytes(a.sll_addr, sizeof(a.sll_addr));
        answer(&a, sizeof(a));
        return;
    }
#endif
#if __has_include(<linux/tipc.h>) && defined(AF_TIPC)
    if (strncmp(kind, "tipc-", 5) == 0) {
        struct sockaddr_tipc a = {.family = AF_TIPC};
        a.scope = (signed char)number();
        if (is(kind, "tipc-id")) {
            a.addrtype = TIPC_ADDR_ID;
            a.addr.id.node = (uint32_t)number();
            a.addr.id.ref = (uint32_t)number();
        } else if (is(kind, "tipc-name")) {
            a.addrtype = TIPC_ADDR_NAME;
            a.addr.name.name.type = (uint32_t)number();
            a.addr.name.name.instance = (uint32_t)number();
        } else {
            a.addrtype = TIPC_ADDR_NAMESEQ;
            a.addr.nameseq.type = (uint32_t)number();
            a.addr.nameseq.lower = (uint32_t)number();
            a.addr.nameseq.upper = (uint32_t)number();
        }
        answer(&a, sizeof(a));
        return;
    }
#endif
#if __has_include(<linux/can/j1939.h>)
    if (strncmp(kind, "can", 3) == 0) {
        struct sockaddr_can a;
        memset(&a, 0, sizeof(a)); /* an initializer would leave the rest of the union undefined */
        a.can_family = AF_CAN;
        a.can_ifindex = (int)number();
        if (is(kind, "can-isotp")) {
            a.can_addr.tp.rx_id = (canid_t)number();
            a.can_addr.tp.tx_id = (canid_t)number();
        } else if (is(kind, "can-j1939")) {
            a.can_addr.j1939.name = number();
            a.can_addr.j1939.pgn = (uint32_t)number();
            a.can_addr.j1939.addr = (uint8_t)number();
        }
        answer(&a, sizeof(a));
        return;
    }
#endif
#if __has_include(<linux/if_alg.h>) && defined(AF_ALG)
    if (is(kind, "alg")) {
        struct sockaddr_alg a = {.salg_family = AF_ALG};
        bytes(a.salg_type, sizeof(a.salg_type));
        bytes(a.salg_name, sizeof(a.salg_name));
        a.salg_feat = (uint32_t)number();
        a.salg_mask = (uint32_t)number();
        answer(&a, sizeof(a));
        return;
    }
#endif
    if (is(kind, "l2cap")) {
        struct sockaddr_l2 a;
        memset(&a, 0, sizeof(a));
        a.l2_family = AF_BLUETOOTH;
        bytes(&a.l2_bdaddr, sizeof(a.l2_bdaddr));
        a.l2_psm = htole16((uint16_t)number());
        a.l2_cid = htole16((uint16_t)number());
        a.l2_bdaddr_type = (uint8_t)number();
        answer(&a, sizeof(a));
        return;
    }
    if (is(kind, "rfcomm")) {
        struct sockaddr_rc a;
        memset(&a, 0, sizeof(a));
        a.rc_family = AF_BLUETOOTH;
        bytes(&a.rc_bdaddr, sizeof(a.rc_bdaddr));
        a.rc_channel = (uint8_t)number();
        answer(&a, sizeof(a));
        return;
    }
    if (is(kind, "hci")) {
        struct sockaddr_hci a = {.hci_family = AF_BLUETOOTH};
        a.hci_dev = (unsigned short)number();
        a.hci_channel = (unsigned short)number();
        answer(&a, sizeof(a));
        return;
    }
    if (is(kind, "sco")) {
        struct sockaddr_sco a = {.sco_family = AF_BLUETOOTH};
        bytes(&a.sco_bdaddr, sizeof(a.sco_bdaddr));
        answer(&a, sizeof(a));
        return;
    }
    puts("absent");
}

int main(void)
{
    char line[1024];
    while (fgets(line, sizeof(line), stdin) != NULL) {
        const char *kind = strtok(line, " \n");
        if (kind != NULL)
            lay_out(kind);
        fflush(stdout);
    }
    return 0;
}
