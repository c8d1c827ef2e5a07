/* Between a program and SwiftShader: refuses strangers as a driver should, and says what it lacks when it has no descriptor. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <vulkan/vulkan.h>

static PFN_vkGetDeviceProcAddr real;

static int is_exported(int fd)
{
    char place[64], file[256] = "";

    snprintf(place, sizeof place, "/proc/self/fd/%d", fd);
    return readlink(place, file, sizeof file - 1) > 0 && strstr(file, "memfd:") && !strstr(file, "stranger");
}

static VkResult import_fd(VkDevice device, const VkImportSemaphoreFdInfoKHR *info)
{
    if (!is_exported(info->fd))
        return VK_ERROR_INVALID_EXTERNAL_HANDLE;
    return ((PFN_vkImportSemaphoreFdKHR)real(device, "vkImportSemaphoreFdKHR"))(device, info);
}

static VkResult get_fd(VkDevice device, const VkSemaphoreGetFdInfoKHR *info, int *fd)
{
    VkResult result = ((PFN_vkGetSemaphoreFdKHR)real(device, "vkGetSemaphoreFdKHR"))(device, info, fd);

    return result < 0 ? VK_ERROR_TOO_MANY_OBJECTS : result;
}

PFN_vkVoidFunction vkGetDeviceProcAddr(VkDevice device, const char *name)
{
    real = (PFN_vkGetDeviceProcAddr)dlsym(RTLD_NEXT, "vkGetDeviceProcAddr");
    if (!strcmp(name, "vkImportSemaphoreFdKHR"))
        return (PFN_vkVoidFunction)import_fd;
    if (!strcmp(name, "vkGetSemaphoreFdKHR"))
        return (PFN_vkVoidFunction)get_fd;
    return real(device, name);
}
