/* The calls of ../benchmark.py in a loop; each function returns nanoseconds per round. */
#include <stdint.h>
#include <time.h>
#include <unistd.h>

typedef int (*status_t)(void *device, uint64_t fence);
typedef int (*create_t)(void *device, const void *info, const void *allocator, uint64_t *made);
typedef void (*destroy_t)(void *device, uint64_t object, const void *allocator);
typedef int (*get_t)(void *device, const void *info, int *fd);
typedef int (*submit_t)(void *queue, uint32_t count, const void *batches, uint64_t fence);

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

double status(status_t get, void *device, uint64_t fence, int rounds)
{
    double start = now();
    for (int i = 0; i < rounds; i++)
        get(device, fence);
    return (now() - start) / rounds;
}

double create_and_destroy(create_t create, destroy_t destroy, void *device, const void *info, int rounds)
{
    double start = now();
    for (int i = 0; i < rounds; i++) {
        uint64_t made = 0;
        create(device, info, 0, &made);
        destroy(device, made, 0);
    }
    return (now() - start) / rounds;
}

double get_and_close(get_t get, void *device, const void *info, int rounds)
{
    double start = now();
    for (int i = 0; i < rounds; i++) {
        int fd = -1;
        get(device, info, &fd);
        close(fd);
    }
    return (now() - start) / rounds;
}

double submit(submit_t submit, void *queue, int rounds)
{
    double start = now();
    for (int i = 0; i < rounds; i++)
        submit(queue, 0, 0, 0);
    return (now() - start) / rounds;
}
