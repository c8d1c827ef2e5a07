/* A driver without devices; with ABORT one that cannot even be loaded.  test_discovery.py compiles it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef int (*Function)(void);

static int nothing(void) { return 0; }

static int count_nothing(void *instance, uint32_t *count, void *found)
{
    *count = 0;
    return 0;
}

static int enumerate_extensions(const char *layer, uint32_t *count, void *found)
{
    *count = 0;
    return 0;
}

static int create_instance(const void *info, const void *allocator, void **made)
{
    static struct { uintptr_t magic; } instance = { 0x01CDC0DE }; /* where the loader puts its own table */
    *made = &instance;
    return 0;
}

Function vk_icdGetInstanceProcAddr(void *instance, const char *name)
{
    if (!strcmp(name, "vkCreateInstance"))
        return (Function)create_instance;
    if (!strcmp(name, "vkEnumerateInstanceExtensionProperties"))
        return (Function)enumerate_extensions;
    if (!strncmp(name, "vkEnumeratePhysicalDevice", 25))
        return (Function)count_nothing;
    return nothing;
}

int vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t *version)
{
    *version = 5;
    return 0;
}

#ifdef ABORT
__attribute__((constructor)) static void at_once(void) { abort(); }
#endif
