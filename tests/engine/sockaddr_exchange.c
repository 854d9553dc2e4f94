/* Stands between a program and the kernel, for test_address_codec.py: loaded before the C library (LD_PRELOAD), bind()
 * keeps the address that it is given and getsockname() answers with it. So a test sees how the standard library's
 * socket encodes and decodes an address of a family that this kernel has not.
 */
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

static struct sockaddr_storage address;
static socklen_t length;

/* The address as it stands. */
size_t exchange_read(void *target, size_t size)
{
    memcpy(target, &address, length < size ? length : size);
    return length;
}

/* The next answer of getsockname(). */
void exchange_write(const void *source, size_t size)
{
    length = (socklen_t)(size < sizeof(address) ? size : sizeof(address));
    memcpy(&address, source, length);
}

int bind(int fd, const struct sockaddr *given, socklen_t size)
{
    (void)fd;
    exchange_write(given, size);
    return 0;
}

int getsockname(int fd, struct sockaddr *found, socklen_t *size)
{
    (void)fd;
    memcpy(found, &address, length < *size ? length : *size);
    *size = length;
    return 0;
}
