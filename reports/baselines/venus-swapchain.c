/*
 * cc -Wall -Wextra -o venus-swapchain venus-swapchain.c -lvulkan
 *
 * vkCreateSwapchainKHR of Mesa's Venus aborts where the host has no graphics card: virglrenderer 1.3.0's render server
 * dies of SIGSEGV in gbm_bo_create, on the thread of a ring; the guest then sees a dead ring and calls abort().  By the
 * source it is vkAllocateMemory: the images want host visible memory that exports as dma_buf; a host's driver that
 * imports dma_buf and does not export it makes the server allocate with gbm, from physical_dev->gbm_device, which is
 * NULL without a graphics card, and only an assertion looks.  MESA_VK_WSI_DEBUG=sw avoids it.
 *
 * Exit status: 0 if the swapchain is made, 2 if it is not offered.  Written by hand.
 */
#include <stdio.h>
#include <stdlib.h>
#include <vulkan/vulkan.h>

#define TRY(call) do { VkResult made = (call); \
        printf("%.40s...: %d\n", #call, made); fflush(stdout); if (made) exit(1); } while (0)

int main(void)
{
    VkInstance instance;
    VkPhysicalDevice physical;
    VkDevice device;
    VkSurfaceKHR surface;
    VkSwapchainKHR swapchain;
    uint32_t one = 1;

    if (vkCreateInstance(&(VkInstanceCreateInfo){.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
            .pApplicationInfo = &(VkApplicationInfo){.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                .apiVersion = VK_API_VERSION_1_1}, .enabledExtensionCount = 2,
            .ppEnabledExtensionNames = (const char *[]){"VK_KHR_surface", "VK_EXT_headless_surface"}}, NULL, &instance))
        return 2;
    vkEnumeratePhysicalDevices(instance, &one, &physical);
    if (vkCreateDevice(physical, &(VkDeviceCreateInfo){.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
            .queueCreateInfoCount = 1, .pQueueCreateInfos = &(VkDeviceQueueCreateInfo){
                .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, .queueCount = 1, .pQueuePriorities = (float[]){1}},
            .enabledExtensionCount = 1, .ppEnabledExtensionNames = (const char *[]){"VK_KHR_swapchain"}}, NULL, &device))
        return 2;

    PFN_vkCreateHeadlessSurfaceEXT make =
        (PFN_vkCreateHeadlessSurfaceEXT)vkGetInstanceProcAddr(instance, "vkCreateHeadlessSurfaceEXT");
    TRY(make(instance, &(VkHeadlessSurfaceCreateInfoEXT){.sType = VK_STRUCTURE_TYPE_HEADLESS_SURFACE_CREATE_INFO_EXT},
        NULL, &surface));
    VkSurfaceFormatKHR format;
    uint32_t formats = 1;
    vkGetPhysicalDeviceSurfaceFormatsKHR(physical, surface, &formats, &format);
    TRY(vkCreateSwapchainKHR(device, &(VkSwapchainCreateInfoKHR){.sType = VK_STRUCTURE_TYPE_SWAPCHAIN_CREATE_INFO_KHR,
        .surface = surface, .minImageCount = 3, .imageFormat = format.format, .imageColorSpace = format.colorSpace,
        .imageExtent = {64, 64}, .imageArrayLayers = 1, .imageUsage = VK_IMAGE_USAGE_TRANSFER_DST_BIT,
        .preTransform = VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR, .compositeAlpha = VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR,
        .presentMode = VK_PRESENT_MODE_FIFO_KHR, .clipped = VK_TRUE}, NULL, &swapchain));
    return 0;
}
