/* What the sanitizers have to report: `nox -s sanitize` calls it to see that they do. */

#include <stdlib.h>

/* Writes behind the end of a block. */
int beyond(int size, int unused)
{
    volatile char *block = malloc(size);
    block[size] = (char)unused;
    int first = block[0];
    free((void *)block);
    return first;
}

/* Adds to the greatest int. */
int overflow(int unused, int number)
{
    return number + unused;
}
