/*
 * cc -Wall -Wextra -o venus-submit venus-submit.c -lvulkan
 *
 * Mesa's Venus dies of SIGSEGV in vkQueueSubmit: one batch waits for a binary semaphore with a temporarily imported
 * SYNC_FD payload, and signals the same semaphore, which was made for no export.  The batch is valid: the wait brings
 * the permanent, unsignaled payload back.  No GPU work and no second device are needed, and -1 will do as descriptor.
 *
 * Exit status: 0 if the batch completes, 2 if the device lacks SYNC_FD.  Written by hand after
 * suites/permanence/test_temporary.py::test_a_batch_waits_for_the_temporary_payload_and_signals.
 */
#include <stdio.h>
#include <stdlib.h>
#include <vulkan/vulkan.h>

#define TRY(call) do { VkResult made = (call); \
        if (made) { printf("%s: %d\n", #call, made); exit(1); } } while (0)

int main(void)
{
    VkInstance instance;
    VkPhysicalDevice physical;
    VkDevice device;
    VkQueue queue;
    VkSemaphore semaphore;
    VkFence fence;
    uint32_t one = 1;

    TRY(vkCreateInstance(&(VkInstanceCreateInfo){.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
        .pApplicationInfo = &(VkApplicationInfo){.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
            .apiVersion = VK_API_VERSION_1_1}}, NULL, &instance));
    vkEnumeratePhysicalDevices(instance, &one, &physical);
    if (vkCreateDevice(physical, &(VkDeviceCreateInfo){.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
            .queueCreateInfoCount = 1, .pQueueCreateInfos = &(VkDeviceQueueCreateInfo){
                .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, .queueCount = 1, .pQueuePriorities = (float[]){1}},
            .enabledExtensionCount = 1, .ppEnabledExtensionNames = (const char *[]){"VK_KHR_external_semaphore_fd"}},
            NULL, &device))
        return 2;
    vkGetDeviceQueue(device, 0, 0, &queue);
    TRY(vkCreateFence(device, &(VkFenceCreateInfo){.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO}, NULL, &fence));
    TRY(vkCreateSemaphore(device, &(VkSemaphoreCreateInfo){.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO}, NULL,
        &semaphore));

    PFN_vkImportSemaphoreFdKHR import =
        (PFN_vkImportSemaphoreFdKHR)vkGetDeviceProcAddr(device, "vkImportSemaphoreFdKHR");
    TRY(import(device, &(VkImportSemaphoreFdInfoKHR){.sType = VK_STRUCTURE_TYPE_IMPORT_SEMAPHORE_FD_INFO_KHR,
        .semaphore = semaphore, .flags = VK_SEMAPHORE_IMPORT_TEMPORARY_BIT,
        .handleType = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT, .fd = -1}));
    printf("vkQueueSubmit\n");
    fflush(stdout);
    TRY(vkQueueSubmit(queue, 1, &(VkSubmitInfo){.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
        .waitSemaphoreCount = 1, .pWaitSemaphores = &semaphore,
        .pWaitDstStageMask = &(VkPipelineStageFlags){VK_PIPELINE_STAGE_ALL_COMMANDS_BIT},
        .signalSemaphoreCount = 1, .pSignalSemaphores = &semaphore}, fence));
    TRY(vkWaitForFences(device, 1, &fence, VK_TRUE, 10000000000));
    printf("the batch has completed\n");
    return 0;
}
