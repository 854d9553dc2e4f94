/* What ThreadSanitizer has to report: `nox -s sanitize_threads` calls it to see that it does. */

#include <pthread.h>

static int plain;

static void *add(void *unused)
{
    (void)unused;
    for (int i = 0; i < 1000; i++)
        plain++;
    return 0;
}

/* Two threads add to a plain int. */
int race(void)
{
    pthread_t one, two;
    if (pthread_create(&one, 0, add, 0) || pthread_create(&two, 0, add, 0))
        return -1;
    pthread_join(one, 0);
    pthread_join(two, 0);
    return plain;
}
